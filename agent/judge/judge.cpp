// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/judge.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

Timestamp scale(Steady at) { return Timestamp{at.time_since_epoch()}; }
Steady unscale(Timestamp at) { return Steady{at.time_since_epoch()}; }

std::string key_of(const DeviceDescription& device, const PointDescription& point) {
  return device.id + "/" + point.name.str();
}

std::optional<std::int64_t> code_in(const Reading& reading) {
  if (reading.quality != Quality::good || !reading.value) return std::nullopt;
  const auto number = watchroom::number_of(*reading.value);
  return number ? std::optional{static_cast<std::int64_t>(*number)} : std::nullopt;
}

PointFacts facts_of(const PointDescription& point, const Reading& reading) {
  PointFacts facts;
  if (reading.quality != Quality::good || !reading.value) return facts;
  facts.value = watchroom::number_of(*reading.value);
  if (const auto code = code_in(reading)) {
    const auto text = point.traits->states.find(*code);
    if (text != point.traits->states.end()) {
      facts.state_zh = text->second.zh;
      facts.state_en = text->second.en;
    }
  }
  return facts;
}

template <typename Watches>
bool any_active(const Watches& watches) {
  return std::any_of(watches.begin(), watches.end(),
                     [](const auto& one) { return is_active(one.second.state); });
}

void sooner(std::optional<Steady>& due, Steady at) { due = due ? std::min(*due, at) : at; }

template <typename Watches>
void sooner(std::optional<Steady>& due, const Watches& watches, const Delays& delays) {
  for (const auto& [key, watch] : watches)
    if (const auto at = deadline(delays, watch.state)) sooner(due, unscale(*at));
}

}  // namespace

Judge::Judge(JudgeSettings settings, DeviceList devices, Instant now)
    : settings_{std::move(settings)},
      devices_{std::move(devices)},
      reactions_(settings_.reactions.size()),
      inputs_(settings_.inhibits.size()),
      outputs_(settings_.outputs.size()),
      matches_(devices_.size()),
      link_since_{now.steady},
      now_{now} {
  for (std::size_t i = 0; i < devices_.size(); ++i) match(i);
  settle(now);
}

Judge::Judge(JudgeSettings settings, DeviceList devices, const Judge& before, Instant now)
    : settings_{std::move(settings)},
      devices_{std::move(devices)},
      reactions_(settings_.reactions.size()),
      inputs_(settings_.inhibits.size()),
      outputs_(settings_.outputs.size()),
      matches_(devices_.size()),
      command_{before.command_},
      is_inhibited_{before.is_inhibited_},
      inhibited_by_{before.inhibited_by_},
      is_link_up_{before.is_link_up_},
      link_since_{before.link_since_},
      now_{now},
      tickets_{before.tickets_},
      notes_{before.notes_},
      has_kept_changed_{before.has_kept_changed_} {
  for (std::size_t i = 0; i < devices_.size(); ++i) match(i);
  const auto take_over = [](const auto& ours, auto& states, const auto& theirs, const auto& their_states) {
    for (std::size_t i = 0; i < ours.size(); ++i)
      for (std::size_t k = 0; k < theirs.size(); ++k)
        if (ours[i].name == theirs[k].name) states[i] = their_states[k];
  };
  take_over(settings_.reactions, reactions_, before.settings_.reactions, before.reactions_);
  take_over(settings_.inhibits, inputs_, before.settings_.inhibits, before.inputs_);
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    for (std::size_t k = 0; k < before.outputs_.size(); ++k) {
      const OutputSettings& ours = settings_.outputs[i];
      const OutputSettings& theirs = before.settings_.outputs[k];
      if (ours.name != theirs.name || ours.device_id != theirs.device_id || ours.point != theirs.point)
        continue;
      outputs_[i] = before.outputs_[k];
      outputs_[i].ticket = 0;  // what was under way was broken off
      outputs_[i].is_let_go = false;
      outputs_[i].is_confirmed = false;
      outputs_[i].try_at = now.steady;
    }
  for (Reaction& reaction : reactions_) reaction.is_known = false;  // it may watch others now
  // A point that is no more cannot end what it raised.
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    std::erase_if(reactions_[i].watches, [&](const auto& one) {
      const auto slash = one.first.find('/');
      const std::string id = one.first.substr(0, slash);
      const bool is_there =
          std::any_of(devices_.begin(), devices_.end(), [&](const auto& device) { return device->id == id; });
      return !is_there || !settings_.reactions[i].rule.watches(id, one.first.substr(slash + 1));
    });
  settle(now);
}

void Judge::restore(const KeptByJudge& kept, Instant now) {
  for (std::size_t i = 0; i < reactions_.size(); ++i) {
    const auto& latched = kept.latched;
    const ReactionSettings& settings = settings_.reactions[i];
    if (settings.does == Does::until_reset &&
        std::find(latched.begin(), latched.end(), settings.name) != latched.end())
      reactions_[i].is_latched = true;
  }
  if (kept.inhibition && kept.inhibition->until > now.steady) command_ = kept.inhibition;
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (const auto before = kept.put_back.find(settings_.outputs[i].name); before != kept.put_back.end())
      outputs_[i].put_back = before->second;
  // Nothing was written yet: what is on at the start is not switched on under the hands of who inhibits.
  if (command_)
    for (Output& output : outputs_)
      if (output.wanted == Drive::on) output.wanted = Drive::keep;
  settle(now);
}

void Judge::match(std::size_t index) {
  const DeviceDescription& device = *devices_[index];
  auto& of_rules = matches_[index];
  of_rules.clear();
  const auto add = [&](const LocalRule& rule) {
    std::vector<std::size_t>& points = of_rules.emplace_back();
    if (!matches_glob(rule.device, device.id)) return;
    for (std::size_t i = 0; i < device.points.size(); ++i)
      if (rule.watches(device.id, device.points[i].name.str())) points.push_back(i);
  };
  for (const ReactionSettings& reaction : settings_.reactions) add(reaction.rule);
  for (const InhibitInput& input : settings_.inhibits) add(input.rule);
}

bool Judge::is_of_interest(std::size_t device) const {
  const auto& of_rules = matches_[device];
  return std::any_of(of_rules.begin(), of_rules.end(), [](const auto& points) { return !points.empty(); }) ||
         std::any_of(settings_.outputs.begin(), settings_.outputs.end(),
                     [&](const OutputSettings& output) { return output.device == device; });
}

void Judge::observe(const PollResult& polled, Instant now) {
  if (polled.device >= devices_.size()) return;
  if (polled.description) {
    devices_[polled.device] = polled.description;
    match(polled.device);
  }
  if (polled.readings.size() != devices_[polled.device]->points.size()) return;
  const auto& of_rules = matches_[polled.device];
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    observe(settings_.reactions[i].rule, reactions_[i].watches, of_rules[i], polled, now);
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    observe(settings_.inhibits[i].rule, inputs_[i].watches, of_rules[reactions_.size() + i], polled, now);
  look_at_outputs(polled.device, polled, now);
  settle(now);
}

void Judge::observe(const LocalRule& rule, Watches& watches, const std::vector<std::size_t>& points,
                    const PollResult& polled, Instant now) {
  const DeviceDescription& device = *devices_[polled.device];
  for (const std::size_t i : points) {
    const PointDescription& point = device.points[i];
    Watch& watch = watches[key_of(device, point)];
    const PointFacts facts = facts_of(point, polled.readings[i]);
    watch.state = step(rule.delays, watch.state, judge(rule.condition, facts), scale(now.steady));
    watch.is_known |= facts.value.has_value();
  }
}

void Judge::tick(const LocalRule& rule, Watches& watches, Instant now) {
  for (auto& [key, watch] : watches)
    watch.state = watchroom::tick(rule.delays, watch.state, scale(now.steady));
}

void Judge::tick(Instant now) {
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    tick(settings_.reactions[i].rule, reactions_[i].watches, now);
  for (std::size_t i = 0; i < inputs_.size(); ++i) tick(settings_.inhibits[i].rule, inputs_[i].watches, now);
  settle(now);
}

/// After anything that may change what is wanted.
void Judge::settle(Instant now) {
  now_ = now;
  for (std::size_t i = 0; i < reactions_.size(); ++i) settle_reaction(i, now);
  settle_inputs(now);
  for (std::size_t i = 0; i < outputs_.size(); ++i) settle_output(i, now);
}

void Judge::settle_reaction(std::size_t index, Instant now) {
  const ReactionSettings& settings = settings_.reactions[index];
  Reaction& reaction = reactions_[index];
  if (!reaction.is_known) reaction.is_known = is_known(index);
  const bool is_raised = any_active(reaction.watches);
  if (is_raised != reaction.was_raised) {
    reaction.was_raised = is_raised;
    if (is_raised) {
      note(LogLevel::warning, now,
           fmt::format("联动 {} 触发 reaction {} is raised", settings.name, settings.name));
      if (settings.does == Does::pulse) reaction.pulse_until = now.steady + settings.pulse;
      if (settings.does == Does::until_reset && !std::exchange(reaction.is_latched, true))
        has_kept_changed_ = true;
    } else {
      note(LogLevel::info, now,
           fmt::format("联动 {} 恢复 reaction {} has cleared{}", settings.name, settings.name,
                       reaction.is_latched ? ", and waits for a reset" : ""));
    }
  }
  if (reaction.pulse_until && now.steady >= *reaction.pulse_until) reaction.pulse_until.reset();
}

bool Judge::is_known(std::size_t index) const {
  const Watches& watches = reactions_[index].watches;
  bool has_any = false;
  for (std::size_t device = 0; device < devices_.size(); ++device)
    for (const std::size_t point : matches_[device][index]) {
      const auto watch = watches.find(key_of(*devices_[device], devices_[device]->points[point]));
      if (watch == watches.end() || !watch->second.is_known) return false;
      has_any = true;
    }
  return has_any;
}

void Judge::settle_inputs(Instant now) {
  if (command_ && now.steady >= command_->until) {
    note(LogLevel::warning, now, fmt::format("抑制到期 the inhibit by {} has run out", command_->owner));
    command_.reset();
    has_kept_changed_ = true;
  }
  std::string by = command_ ? command_->owner : "";
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Input& input = inputs_[i];
    const InhibitInput& settings = settings_.inhibits[i];
    if (!any_active(input.watches)) {
      input.since.reset();
      input.is_spent = false;
      continue;
    }
    if (!input.since) input.since = now.steady;
    if (!input.is_spent && now.steady - *input.since >= settings.longest) {
      input.is_spent = true;
      note(LogLevel::warning, now,
           fmt::format(
               "抑制输入 {} 超过最长时间，不再有效 the inhibit input {} has been on for longer than it may, "
               "and counts no more",
               settings.name, settings.name));
    }
    if (input.is_spent) continue;
    by += (by.empty() ? "" : ", ") + settings.name;
  }
  const bool is_inhibited = !by.empty();
  if (by == inhibited_by_) return;
  inhibited_by_ = by;
  is_inhibited_ = is_inhibited;
  if (is_inhibited)
    note(LogLevel::warning, now,
         fmt::format("联动输出被抑制 reactions are inhibited by {}{}", by,
                     command_
                         ? fmt::format(" until {}: {}", to_rfc3339(command_->until_wall), command_->reason)
                         : ""));
  else
    note(LogLevel::warning, now, "抑制解除 reactions are no longer inhibited");
}

void Judge::link_changed(bool is_up, Instant now) {
  if (is_up != is_link_up_) link_since_ = now.steady;
  is_link_up_ = is_up;
  settle(now);
}

void Judge::inhibit(Inhibition inhibition, Instant now) {
  command_ = std::move(inhibition);
  has_kept_changed_ = true;
  inhibited_by_.clear();  // told anew: it may be the same person with another reason
  settle(now);
}

bool Judge::end_inhibition(const std::string& by, Instant now) {
  if (!command_) return false;
  note(LogLevel::warning, now,
       fmt::format("{} 解除抑制 the inhibit by {} is ended by {}", by, command_->owner, by));
  command_.reset();
  has_kept_changed_ = true;
  settle(now);
  return true;
}

Result<std::string> Judge::reset(const std::string& name, const std::string& by, Instant now) {
  std::string done, raised;
  for (std::size_t i = 0; i < reactions_.size(); ++i) {
    const std::string& own = settings_.reactions[i].name;
    if ((!name.empty() && own != name) || !reactions_[i].is_latched) continue;
    if (reactions_[i].was_raised) {
      raised += (raised.empty() ? "" : ", ") + own;
      continue;
    }
    reactions_[i].is_latched = false;
    has_kept_changed_ = true;
    done += (done.empty() ? "" : ", ") + own;
    note(LogLevel::warning, now, fmt::format("{} 复位联动 {} reaction {} is reset by {}", by, own, own, by));
  }
  settle(now);
  if (!raised.empty()) return fail(Errc::conflict, Retry::later, "still raised, and not reset: {}", raised);
  if (done.empty())
    return fail(Errc::not_found, Retry::never, "no reaction{} is latched", name.empty() ? "" : " " + name);
  return done;
}

std::optional<Steady> Judge::deadline() const {
  std::optional<Steady> due;
  for (std::size_t i = 0; i < reactions_.size(); ++i) {
    sooner(due, reactions_[i].watches, settings_.reactions[i].rule.delays);
    if (reactions_[i].pulse_until) sooner(due, *reactions_[i].pulse_until);
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    sooner(due, inputs_[i].watches, settings_.inhibits[i].rule.delays);
    if (inputs_[i].since && !inputs_[i].is_spent)
      sooner(due, *inputs_[i].since + settings_.inhibits[i].longest);
  }
  if (command_) sooner(due, command_->until);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Output& output = outputs_[i];
    if (output.wanted != Drive::keep && !output.is_confirmed && output.ticket == 0)
      sooner(due, output.try_at);
    if (output.order.is_open())
      sooner(due, output.order.was_done ? output.order.until : output.order.fails_at());
    const OutputSettings& settings = settings_.outputs[i];
    const Steady lost_at = link_since_ + settings.link_loss;
    if (settings.on_link_loss != Drive::keep && !is_link_up_ && lost_at > now_.steady) sooner(due, lost_at);
  }
  return due;
}

std::vector<JudgeNote> Judge::take_notes() { return std::exchange(notes_, {}); }

std::optional<KeptByJudge> Judge::take_kept() {
  if (!std::exchange(has_kept_changed_, false)) return std::nullopt;
  KeptByJudge kept;
  kept.inhibition = command_;
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    if (reactions_[i].is_latched) kept.latched.push_back(settings_.reactions[i].name);
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (outputs_[i].put_back != Drive::keep) kept.put_back[settings_.outputs[i].name] = outputs_[i].put_back;
  return kept;
}

void Judge::note(LogLevel level, Instant now, std::string text) {
  notes_.push_back({level, now.wall, std::move(text)});
}

}  // namespace watchroom::agent
