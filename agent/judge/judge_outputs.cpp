// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>

#include "agent/judge/judge.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto first_retry = 500ms, longest_retry = 5000ms;
// A write is read back within about a second; a line of many devices may be asking another one just now.
constexpr auto may_take = 5s;
constexpr auto tell_again = 1min;

std::optional<std::int64_t> code_in(const Reading& reading) {
  if (reading.quality != Quality::good || !reading.value) return std::nullopt;
  const auto number = watchroom::number_of(*reading.value);
  return number ? std::optional{static_cast<std::int64_t>(*number)} : std::nullopt;
}

}  // namespace

bool Judge::is_on(std::size_t index, Instant now) const {
  const Reaction& reaction = reactions_[index];
  switch (settings_.reactions[index].does) {
    case Does::while_raised: return reaction.was_raised;
    case Does::until_reset: return reaction.was_raised || reaction.is_latched;
    case Does::pulse: return reaction.pulse_until && now.steady < *reaction.pulse_until;
  }
  return false;
}

bool Judge::works(std::size_t reaction, std::size_t output) const {
  const auto& outputs = settings_.reactions[reaction].outputs;
  return std::find(outputs.begin(), outputs.end(), output) != outputs.end();
}

bool Judge::wants_on(std::size_t output, Instant now) const {
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    if (works(i, output) && is_on(i, now)) return true;
  return false;
}

std::string Judge::who_wants(std::size_t output, Instant now) const {
  std::string names;
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    if (works(i, output) && is_on(i, now)) names += (names.empty() ? "" : ", ") + settings_.reactions[i].name;
  return names;
}

/// Whether each of its reactions could be judged by a value at least once.
bool Judge::is_judged(std::size_t output) const {
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    if (works(i, output) && !reactions_[i].is_known) return false;
  return has_reaction(output);
}

bool Judge::has_reaction(std::size_t output) const {
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    if (works(i, output)) return true;
  return false;
}

bool Judge::is_link_lost(const OutputSettings& output, Instant now) const {
  return !is_link_up_ && now.steady - link_since_ >= output.link_loss;
}

bool Judge::is_driven_by_link_loss(std::size_t index, Instant now) const {
  const OutputSettings& settings = settings_.outputs[index];
  return settings.on_link_loss != Drive::keep && is_link_lost(settings, now);
}

/// The order of who counts more: see README.md.
std::optional<Drive> Judge::wanted_by_somebody(std::size_t index, Instant now) const {
  const OutputSettings& settings = settings_.outputs[index];
  const Order& order = outputs_[index].order;
  const bool is_wanted_on = wants_on(index, now);
  if (is_inhibited_ && is_wanted_on) return settings.on_inhibit;
  if (is_wanted_on) return Drive::on;
  if (order.holds() && !(is_inhibited_ && order.drive == Drive::on)) return order.drive;
  if (is_inhibited_) return std::nullopt;
  if (is_driven_by_link_loss(index, now)) return settings.on_link_loss;
  return std::nullopt;
}

/// When nobody wants anything: as at the start until its reactions have been judged, then off.
Drive Judge::automatic_rest_of(std::size_t index) const {
  const Drive at_start = settings_.outputs[index].at_start;
  if (!outputs_[index].has_begun) return at_start;
  return has_reaction(index) || at_start == Drive::keep ? Drive::off : at_start;
}

Drive Judge::rest_of(std::size_t index) const {
  const Drive rest = automatic_rest_of(index);
  return rest == Drive::keep ? outputs_[index].put_back : rest;
}

void Judge::settle_output(std::size_t index, Instant now) {
  Output& output = outputs_[index];
  end_order(index, now);
  // An order says nothing of the reactions: without it the output is as at its start until they are judged.
  if (!output.has_begun)
    output.has_begun = wants_on(index, now) || is_judged(index) || is_driven_by_link_loss(index, now);
  if (output.has_begun) set_put_back(output, Drive::keep);
  Drive wanted = wanted_by_somebody(index, now).value_or(rest_of(index));
  // Nothing is switched on under the hands of who inhibits.
  if (is_inhibited_ && wanted == Drive::on && output.wanted != Drive::on) wanted = output.wanted;
  want(index, wanted, now);
  follow_order(index, now);
  const bool is_put_back = output.put_back != Drive::keep && !output.order.holds() &&
                           output.wanted == output.put_back && output.is_confirmed;
  if (!is_put_back) return;
  set_put_back(output, Drive::keep);
  want(index, rest_of(index), now);
}

void Judge::want(std::size_t index, Drive wanted, Instant now) {
  Output& output = outputs_[index];
  const OutputSettings& settings = settings_.outputs[index];
  if (wanted == output.wanted) return;
  output.wanted = wanted;
  output.failures_in_a_row = 0;
  output.try_at = now.steady;
  output.otherwise_told_at.reset();
  // Switching on what seems to be on costs nothing, and it may have changed since it was read. What is
  // ordered is always written.
  const bool is_ordered = output.order.is_open() && !output.order.was_done;
  output.is_confirmed =
      !is_ordered && wanted == Drive::off && output.seen == settings.off && output.ticket == 0;
  if (wanted == Drive::keep) return;
  const std::string who = wanted == Drive::on ? who_wants(index, now) : "";
  note(wanted == Drive::on ? LogLevel::warning : LogLevel::info, now,
       fmt::format("输出 {} 应为{} output {} is to be {}{}", settings.name, wanted == Drive::on ? "开" : "关",
                   settings.name, name_of(wanted), who.empty() ? "" : " by " + who));
}

void Judge::look_at_outputs(std::size_t device, const PollResult& polled, Instant now) {
  const DeviceDescription& description = *devices_[device];
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const OutputSettings& settings = settings_.outputs[k];
    Output& output = outputs_[k];
    if (settings.device != device || output.ticket != 0) continue;
    std::optional<std::int64_t> seen;
    std::size_t i = 0;
    for (const PointDescription& point : description.points) {
      if (point.name.str() == settings.point) seen = code_in(polled.readings[i]);
      ++i;
    }
    output.seen = seen;
    if (output.wanted == Drive::keep || !output.is_confirmed) continue;
    if (seen != settings.code_of(output.wanted))
      seen_otherwise(output, settings, now);
    else if (settings.put_right != PutRight::always && output.wanted == Drive::off)
      output.otherwise_told_at.reset();
  }
}

/// It was as wanted, and is no longer: somebody has switched it, or the module has started anew.
void Judge::seen_otherwise(Output& output, const OutputSettings& settings, Instant now) {
  // One that cannot be read is tried only while it should be on: it may come back and be off.
  if (!output.seen && output.wanted != Drive::on) return;
  const bool is_put_right = settings.put_right == PutRight::always ||
                            (settings.put_right == PutRight::when_on && output.wanted == Drive::on);
  const bool is_to_tell =
      !output.otherwise_told_at || (is_put_right && now.steady - *output.otherwise_told_at >= tell_again);
  if (output.seen && is_to_tell) {
    output.otherwise_told_at = now.steady;
    note(LogLevel::warning, now,
         fmt::format(
             "输出 {} 被改变 output {} was switched by somebody else, or its module has started anew: "
             "it should be {}{}",
             settings.name, settings.name, name_of(output.wanted), is_put_right ? ", and is set again" : ""));
  }
  if (!is_put_right) return;
  output.is_confirmed = false;
  output.failures_in_a_row = 0;
  output.try_at = now.steady;
}

std::vector<OutputWrite> Judge::take_writes(Instant now) {
  std::vector<OutputWrite> writes;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Output& output = outputs_[i];
    const OutputSettings& settings = settings_.outputs[i];
    if (output.wanted == Drive::keep || output.is_confirmed || output.ticket != 0 ||
        now.steady < output.try_at)
      continue;
    output.ticket = ++tickets_;
    output.writing = output.wanted;
    ++output.writes;
    // What a reaction wants, too, is not given up with the order.
    const bool is_ordered = output.order.holds() && !output.order.was_done &&
                            output.order.drive == output.wanted && !wants_on(i, now);
    writes.push_back({output.ticket, settings.device, settings.point, settings.code_of(output.wanted),
                      is_ordered ? std::optional{output.order.fails_at()} : std::nullopt});
  }
  return writes;
}

void Judge::written(std::uint64_t ticket, const Result<WriteOutcome>& outcome, Instant now) {
  const auto found =
      std::find_if(outputs_.begin(), outputs_.end(), [&](const Output& one) { return one.ticket == ticket; });
  if (ticket == 0 || found == outputs_.end()) return;
  Output& output = *found;
  const OutputSettings& settings = settings_.outputs[static_cast<std::size_t>(found - outputs_.begin())];
  output.ticket = 0;
  // What a write without an answer has done nobody knows.
  output.seen = outcome ? code_in(outcome->read_back) : std::nullopt;
  const bool has_worked = outcome && outcome->agrees;
  if (has_worked) {
    if (output.failures_in_a_row > 0)
      note(LogLevel::info, now,
           fmt::format("输出 {} 恢复正常 output {} is {} at last, after {} attempts", settings.name,
                       settings.name, name_of(output.writing), output.failures_in_a_row + 1));
    output.failures_in_a_row = 0;
    output.is_confirmed = output.writing == output.wanted;
    output.try_at = now.steady;
    return;
  }
  ++output.failures;
  const auto retry = first_retry * (1 << std::min<std::uint64_t>(output.failures_in_a_row, 4));
  output.try_at = now.steady + std::min<std::chrono::milliseconds>(retry, longest_retry);
  if (output.writing != output.wanted) {  // it is to be something else by now
    output.try_at = now.steady;
    return;
  }
  if (output.failures_in_a_row++ > 0 && now.steady - output.told_at < tell_again) return;
  output.told_at = now.steady;
  const std::string why = !outcome                  ? outcome.error().text
                          : !outcome->doubt.empty() ? outcome->doubt
                                                    : "it was written, but is not so";
  note(LogLevel::error, now,
       fmt::format("输出 {} 失败 output {} cannot be switched {}, and is tried again: {}", settings.name,
                   settings.name, name_of(output.writing), why));
}

ReactionState Judge::state_of(const ReactionSettings& settings, const Reaction& reaction) const {
  if (reaction.was_raised) return ReactionState::raised;
  if (settings.does == Does::until_reset && reaction.is_latched) return ReactionState::latched;
  const bool is_pending = std::any_of(reaction.watches.begin(), reaction.watches.end(), [](const auto& one) {
    return one.second.state.phase == Phase::pending;
  });
  if (is_pending) return ReactionState::delayed;
  return reaction.is_known ? ReactionState::normal : ReactionState::unknown;
}

OutputState Judge::state_of(std::size_t index) const {
  const Output& output = outputs_[index];
  const OutputSettings& settings = settings_.outputs[index];
  const bool is_late = output.wanted != Drive::keep && !output.is_confirmed &&
                       (output.failures_in_a_row > 0 || now_.steady - output.try_at >= may_take);
  if (is_late) return OutputState::failed;
  if (is_inhibited_ && wants_on(index, now_)) return OutputState::inhibited;
  if (!output.seen) return OutputState::unknown;
  if (*output.seen == settings.off) return OutputState::off;
  if (*output.seen != settings.on) return OutputState::unknown;
  return output.is_confirmed && output.wanted == Drive::off ? OutputState::on_by_others : OutputState::on;
}

JudgeFigures Judge::figures() const {
  JudgeFigures figures;
  for (std::size_t i = 0; i < reactions_.size(); ++i)
    figures.reactions.push_back(
        {settings_.reactions[i].name, state_of(settings_.reactions[i], reactions_[i])});
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Output& output = outputs_[i];
    figures.outputs.push_back({settings_.outputs[i].name, state_of(i), output.writes, output.failures,
                               output.order.number, output.order.progress, output.refused});
  }
  figures.inhibit.is_inhibited = is_inhibited_;
  figures.inhibit.owner = inhibited_by_;
  if (command_) {
    figures.inhibit.reason = command_->reason;
    figures.inhibit.until = command_->until_wall;
  }
  figures.inhibit_text = "无 none";
  if (is_inhibited_)
    figures.inhibit_text = command_ ? fmt::format("{}，至 until {}：{}", inhibited_by_,
                                                  to_rfc3339(command_->until_wall), command_->reason)
                                    : inhibited_by_;
  return figures;
}

}  // namespace watchroom::agent
