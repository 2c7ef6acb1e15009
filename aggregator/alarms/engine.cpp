// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/engine.hpp"

#include <algorithm>

namespace watchroom::aggregator {

using namespace std::chrono_literals;

std::string_view name_of(AlarmEvent event) {
  switch (event) {
    case AlarmEvent::raised: return "raised";
    case AlarmEvent::cleared: return "cleared";
    case AlarmEvent::acknowledged: return "acknowledged";
    case AlarmEvent::withdrawn: return "withdrawn";
    case AlarmEvent::closed: return "closed";
    case AlarmEvent::past: return "past";
  }
  std::abort();
}

const Bilingual rule_taken_away{"规则已停用，告警撤销", "withdrawn because its rule was taken away"};

namespace {

void add_reason(AlarmView& alarm, const Bilingual& why) {
  alarm.text_zh += "；" + why.zh;
  alarm.text_en += "; " + why.en;
}

}  // namespace

Engine::Engine(std::vector<Rule> rules) {
  for (Rule& rule : rules) (rule.condition ? rules_ : taken_away_).push_back(std::move(rule));
  std::stable_sort(rules_.begin(), rules_.end(),
                   [](const Rule& a, const Rule& b) { return a.layer > b.layer; });
}

// No id of ours or of Sparkplug may hold a '/', so that a joined key is unambiguous.
std::string Engine::key_of(const SubjectAddress& address) {
  return fmt::format("{}/{}/{}/{}", address.site, address.agent, address.device, address.point);
}

std::string Engine::key_of(const AlarmView& alarm) {
  return fmt::format("{}/{}/{}/{}#{}", alarm.site, alarm.agent, alarm.device, alarm.point, alarm.rule);
}

bool Engine::watches(const Rule& rule, const SubjectAddress& address) const {
  if (rule.kind->subject != address.subject) return false;
  switch (address.subject) {
    case Subject::point:
      return rule.watches_point(address.site, address.agent, address.device, address.point);
    case Subject::agent: return rule.watches_agent(address.site, address.agent);
    case Subject::broker: return true;
  }
  return false;
}

void Engine::restore(std::vector<AlarmView> open, std::int64_t highest_id) {
  highest_id_ = highest_id;
  for (AlarmView& alarm : open) {
    restored_.emplace(key_of(alarm), alarm.id);
    open_.emplace(alarm.id, std::move(alarm));
  }
}

std::vector<AlarmChange> Engine::withdraw_orphans(Moment now) {
  std::vector<AlarmChange> changes;
  for (auto at = open_.begin(); at != open_.end();) {
    AlarmView& alarm = at->second;
    // Either its subject has taken it up, or a rule waits for that subject.
    const bool is_taken_up = !restored_.contains(key_of(alarm));
    const bool is_watched = std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
      SubjectAddress address{rule.kind->subject, alarm.site, alarm.agent, alarm.device,
                             alarm.point,        {},         {},          {}};
      return rule.id == alarm.rule && watches(rule, address);
    });
    if (is_taken_up || is_watched) {
      ++at;
      continue;
    }
    restored_.erase(key_of(alarm));
    const bool was_active = std::exchange(alarm.is_active, false);
    if (was_active) {
      alarm.cleared_at = now.wall;
      add_reason(alarm, rule_taken_away);
    }
    alarm.state = AlarmLifeCycle::normal;
    changes.push_back({was_active ? AlarmEvent::withdrawn : AlarmEvent::closed, alarm});
    at = open_.erase(at);
  }
  for (auto& [key, late] : std::exchange(restored_late_, {})) {
    late.state = {};
    late_changes_.push_back(std::move(late));
  }
  return changes;
}

void Engine::restore_late(std::vector<LateWatch> watches) {
  for (LateWatch& late : watches) {
    SubjectAddress address{Subject::point, late.site, late.agent, late.device, late.point, {}, {}, {}};
    restored_late_.emplace(key_of(address) + "#" + late.rule, std::move(late));
  }
}

bool Engine::has_late(SubjectId subject) const {
  const auto& watches = subjects_.at(subject).watches;
  return std::any_of(watches.begin(), watches.end(),
                     [](const Watch& watch) { return watch.past.has_value(); });
}

std::vector<LateWatch> Engine::take_late_changes() {
  std::vector<LateWatch> changed = std::exchange(late_changes_, {});
  for (const auto& [subject, index] : std::exchange(changed_late_, {})) {
    const Watched& watched = subjects_[subject];
    changed.push_back(late_of(watched, watched.watches[index]));
  }
  return changed;
}

LateWatch Engine::late_of(const Watched& watched, const Watch& watch) const {
  const SubjectAddress& about = watched.address;
  const Past past = watch.past.value_or(Past{});
  return {watch.rule->id, about.site,      about.agent,    about.device,    about.point,
          past.state,     past.seen_until, past.raised_at, past.when_raised};
}

std::vector<AlarmChange> Engine::withdraw(SubjectId subject, const Bilingual& why, Moment now) {
  std::vector<AlarmChange> changes;
  const std::size_t count = subjects_.at(subject).watches.size();
  for (std::size_t i = 0; i < count; ++i) end(subject, i, why, now, changes);
  return changes;
}

void Engine::end(SubjectId subject, std::size_t index, const Bilingual& why, Moment now,
                 std::vector<AlarmChange>& changes) {
  Watched& watched = subjects_[subject];
  Watch& watch = watched.watches[index];
  if (const auto due = deadline(watch.rule->delays, watch.state)) due_.erase({*due, subject, index});
  watch.state = {};
  std::optional<AlarmChange> change;
  if (watch.past && is_active(watch.past->state)) change = tell_past(watched, watch, now.wall);
  end_past(subject, index);
  if (!change && watch.alarm && open_.at(*watch.alarm).is_active) {
    change = clear(watch, now);
    change->event = AlarmEvent::withdrawn;
  }
  if (!change) return;
  add_reason(change->alarm, why);
  if (const auto open = open_.find(change->alarm.id); open != open_.end()) open->second = change->alarm;
  changes.push_back(*std::move(change));
}

SubjectId Engine::subject(const SubjectAddress& address) {
  const std::string key = key_of(address);
  if (const auto known = subjects_by_key_.find(key); known != subjects_by_key_.end()) {
    subjects_[known->second].address = address;
    return known->second;
  }
  const SubjectId id = subjects_.size();
  Watched watched;
  watched.address = address;
  for (const Rule* rule : rules_for(watched)) watched.watches.push_back(begin(*rule, key));
  subjects_.push_back(std::move(watched));
  subjects_by_key_.emplace(key, id);
  return id;
}

/// A watch with what was open, or begun, before the restart.
Engine::Watch Engine::begin(const Rule& rule, const std::string& key) {
  Watch watch;
  watch.rule = &rule;
  if (const auto restored = restored_.find(key + "#" + rule.id); restored != restored_.end()) {
    watch.alarm = restored->second;
    const AlarmView& alarm = open_.at(restored->second);
    if (alarm.is_active) {
      watch.state = {Phase::raised, alarm.raised_at};
      // What a backlog tells of the same time later was told before the restart.
      watch.began = alarm.raised_at - rule.delays.on;
    }
    restored_.erase(restored);
  }
  if (const auto late = restored_late_.find(key + "#" + rule.id); late != restored_late_.end()) {
    const LateWatch& past = late->second;
    watch.past = Past{past.state, past.seen_until, past.raised_at, past.when_raised};
    restored_late_.erase(late);
  }
  return watch;
}

std::vector<AlarmChange> Engine::observe(SubjectId subject, const Situation& situation, Moment now) {
  std::vector<AlarmChange> changes;
  Watched& watched = subjects_.at(subject);
  watched.situation = situation;
  for (std::size_t i = 0; i < watched.watches.size(); ++i) {
    const Watch& watch = watched.watches[i];
    const Rule& rule = *watch.rule;
    const PhaseState after = step(rule.delays, watch.state, rule.condition->judge(situation), now.steady);
    if (after != watch.state) enter(subject, i, after, now, changes);
  }
  raise_uncovered(subject, now, changes);
  return changes;
}

std::vector<AlarmChange> Engine::tick(Moment now) {
  std::vector<AlarmChange> changes;
  std::set<SubjectId> touched;
  while (!due_.empty() && due_.begin()->at <= now.steady) {
    const Due due = *due_.begin();
    touched.insert(due.subject);
    const Watch& watch = subjects_[due.subject].watches[due.watch];
    const PhaseState after = watchroom::tick(watch.rule->delays, watch.state, now.steady);
    if (after == watch.state) {  // cannot be, but must never spin
      due_.erase(due_.begin());
      continue;
    }
    enter(due.subject, due.watch, after, now, changes);
  }
  for (const SubjectId subject : touched) raise_uncovered(subject, now, changes);
  return changes;
}

std::optional<Timestamp> Engine::next_deadline() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->at;
}

void Engine::enter(SubjectId subject, std::size_t index, PhaseState after, Moment now,
                   std::vector<AlarmChange>& changes) {
  Watched& watched = subjects_[subject];
  Watch& watch = watched.watches[index];
  const Delays& delays = watch.rule->delays;
  if (const auto old = deadline(delays, watch.state)) due_.erase({*old, subject, index});
  const bool was_active = is_active(watch.state);
  if (watch.state.phase == Phase::normal) watch.began = watched.situation.taken_at;
  if (was_active && !is_active(after) && watch.began && watched.situation.taken_at)
    note_told(watch, *watch.began, *watched.situation.taken_at);
  watch.state = after;
  if (const auto next = deadline(delays, after)) due_.insert({*next, subject, index});
  if (!was_active && is_active(after) && !is_covered(watched, watch))
    changes.push_back(raise(watched, watch, now));
  if (was_active && !is_active(after))
    if (auto cleared = clear(watch, now)) changes.push_back(*std::move(cleared));
}

AlarmChange Engine::raise(Watched& watched, Watch& watch, Moment now) {
  const Rule& rule = *watch.rule;
  const bool is_back = watch.alarm.has_value();  // came back before anybody acknowledged it
  if (!is_back) {
    watch.alarm = ++highest_id_;
    AlarmView fresh;
    fresh.id = *watch.alarm;
    open_.emplace(fresh.id, std::move(fresh));
  }
  AlarmView& alarm = open_.at(*watch.alarm);
  if (is_back) ++alarm.occurrence;
  fill(alarm, watched, rule, watched.situation);
  alarm.state = AlarmLifeCycle::unacknowledged;
  alarm.raised_at = now.wall;
  alarm.cleared_at.reset();
  alarm.is_active = true;
  return {AlarmEvent::raised, alarm};
}

void Engine::fill(AlarmView& alarm, const Watched& watched, const Rule& rule,
                  const Situation& situation) const {
  const Bilingual text = rule.condition->explain(situation);
  const SubjectAddress& about = watched.address;
  alarm.rule = rule.id;
  alarm.kind = rule.kind->name;
  alarm.severity = rule.severity;
  alarm.title_zh = rule.title_zh;
  alarm.title_en = rule.title_en;
  alarm.text_zh = text.zh;
  alarm.text_en = text.en;
  alarm.site = about.site;
  alarm.agent = about.agent;
  alarm.device = about.device;
  alarm.device_name = about.device_name;
  alarm.point = about.point;
  alarm.point_label_zh = about.point_label_zh;
  alarm.point_label_en = about.point_label_en;
  alarm.value = situation.value;
  alarm.unit = situation.unit;
  alarm.limit = rule.condition->limit();
}

std::vector<AlarmChange> Engine::observe_past(SubjectId subject, const Situation& situation,
                                              Timestamp taken_at) {
  std::vector<AlarmChange> changes;
  Watched& watched = subjects_.at(subject);
  for (std::size_t i = 0; i < watched.watches.size(); ++i) {
    Watch& watch = watched.watches[i];
    const Rule& rule = *watch.rule;
    if (!rule.kind->judges_history) continue;
    if (!watch.past) watch.past = Past{};
    Past& past = *watch.past;
    if (taken_at < past.seen_until) continue;
    past.seen_until = taken_at;
    const PhaseState before = past.state;
    past.state = step(rule.delays, before, rule.condition->judge(situation), taken_at);
    if (past.state != before) changed_late_.emplace(subject, i);
    if (before.phase == Phase::normal && past.state.phase != Phase::normal) past.when_raised = situation;
    if (!is_active(before) && is_active(past.state)) past.raised_at = past.state.since;
    // The delay may have ended between two late readings, and the second one says that it is over.
    const bool had_lasted = before.phase == Phase::pending && taken_at - before.since >= rule.delays.on;
    if (had_lasted) past.raised_at = before.since + rule.delays.on;
    if ((is_active(before) || had_lasted) && !is_active(past.state))
      if (auto told = tell_past(watched, watch, taken_at)) changes.push_back(*std::move(told));
  }
  return changes;
}

std::vector<AlarmChange> Engine::settle_past(SubjectId subject, Timestamp known, Moment now) {
  std::vector<AlarmChange> changes;
  for (std::size_t i = 0; i < subjects_.at(subject).watches.size(); ++i) {
    if (!subjects_[subject].watches[i].past) continue;
    settle(subject, i, known, now, changes);
    end_past(subject, i);
  }
  return changes;
}

void Engine::end_past(SubjectId subject, std::size_t index) {
  std::optional<Past>& past = subjects_[subject].watches[index].past;
  if (past && past->state.phase != Phase::normal) changed_late_.emplace(subject, index);
  past.reset();
}

void Engine::settle(SubjectId subject, std::size_t index, Timestamp known, Moment now,
                    std::vector<AlarmChange>& changes) {
  Watched& watched = subjects_[subject];
  Watch& watch = watched.watches[index];
  Past& past = *watch.past;
  const Rule& rule = *watch.rule;
  if (past.state.phase == Phase::pending && known - past.state.since >= rule.delays.on) {
    past.raised_at = past.state.since + rule.delays.on;
    past.state = {Phase::raised, past.raised_at};
  }
  if (is_active(watch.state)) return;  // an alarm of now
  if (is_active(past.state)) {
    if (rule.condition->judge(watched.situation) != Verdict::gone)
      raise_late(subject, index, now, changes);
    else if (auto told = tell_past(watched, watch, known))
      changes.push_back(*std::move(told));
  } else if (past.state.phase == Phase::pending && watch.state.phase == Phase::pending && watch.began) {
    const auto unheard = *watch.began - past.state.since;
    if (unheard > 0ms) enter(subject, index, {Phase::pending, watch.state.since - unheard}, now, changes);
  }
}

/// It began unheard, and nothing says that it is over.
void Engine::raise_late(SubjectId subject, std::size_t index, Moment now, std::vector<AlarmChange>& changes) {
  Watched& watched = subjects_[subject];
  Watch& watch = watched.watches[index];
  const std::size_t told = changes.size();
  enter(subject, index, {Phase::raised, now.steady}, now, changes);
  watch.began = watch.past->raised_at;
  if (changes.size() == told) return;  // another alarm says it
  AlarmView& alarm = open_.at(*watch.alarm);
  fill(alarm, watched, *watch.rule, watch.past->when_raised);
  alarm.raised_at = watch.past->raised_at;
  changes.back().alarm = alarm;
}

/// A reading may be heard live and come once more as history, when its record had not reached the disk.
void Engine::note_told(Watch& watch, Timestamp begin, Timestamp end) {
  constexpr std::size_t most_told = 32;
  watch.told.push_back({begin, end});
  if (watch.told.size() > most_told) watch.told.pop_front();
}

bool Engine::is_told(const Watch& watch, Timestamp begin, Timestamp end) {
  return std::any_of(watch.told.begin(), watch.told.end(),
                     [&](const Period& told) { return begin <= told.end && told.begin <= end; });
}

std::optional<AlarmChange> Engine::tell_past(Watched& watched, Watch& watch, Timestamp cleared_at) {
  // An alarm of the same rule that still waits for somebody says enough.
  if (watch.alarm) return std::nullopt;
  cleared_at = std::max(cleared_at, watch.past->raised_at);
  if (is_told(watch, watch.past->raised_at, cleared_at)) return std::nullopt;
  if (is_told_otherwise(watched, watch, cleared_at)) return std::nullopt;
  note_told(watch, watch.past->raised_at, cleared_at);
  watch.alarm = ++highest_id_;
  AlarmView& alarm = open_[*watch.alarm];
  alarm.id = *watch.alarm;
  fill(alarm, watched, *watch.rule, watch.past->when_raised);
  alarm.state = AlarmLifeCycle::returned_unacknowledged;
  alarm.raised_at = watch.past->raised_at;
  alarm.cleared_at = cleared_at;
  return AlarmChange{AlarmEvent::past, alarm};
}

std::optional<AlarmChange> Engine::clear(Watch& watch, Moment now) {
  if (!watch.alarm) return std::nullopt;
  AlarmView& alarm = open_.at(*watch.alarm);
  if (!alarm.is_active) return std::nullopt;  // this time another alarm said it
  alarm.cleared_at = now.wall;
  alarm.is_active = false;
  if (alarm.state == AlarmLifeCycle::unacknowledged) {
    alarm.state = AlarmLifeCycle::returned_unacknowledged;
    return AlarmChange{AlarmEvent::cleared, alarm};
  }
  alarm.state = AlarmLifeCycle::normal;
  AlarmChange change{AlarmEvent::cleared, std::move(alarm)};
  open_.erase(change.alarm.id);
  watch.alarm.reset();
  return change;
}

Result<AlarmChange> Engine::acknowledge(std::int64_t id, const std::string& by, const std::string& comment,
                                        Moment now) {
  const auto found = open_.find(id);
  if (found == open_.end()) return fail(Errc::not_found, Retry::never, "there is no open alarm {}", id);
  AlarmView& alarm = found->second;
  if (alarm.state == AlarmLifeCycle::acknowledged)
    return fail(Errc::conflict, Retry::never, "alarm {} was acknowledged by {} at {}", id,
                alarm.acknowledged_by, to_rfc3339(*alarm.acknowledged_at));
  alarm.acknowledged_at = now.wall;
  alarm.acknowledged_by = by;
  alarm.comment = comment;
  if (alarm.is_active) {
    alarm.state = AlarmLifeCycle::acknowledged;
    return AlarmChange{AlarmEvent::acknowledged, alarm};
  }
  alarm.state = AlarmLifeCycle::normal;
  AlarmChange change{AlarmEvent::acknowledged, std::move(alarm)};
  open_.erase(found);
  restored_.erase(key_of(change.alarm));
  for (Watched& watched : subjects_)
    for (Watch& watch : watched.watches)
      if (watch.alarm == id) watch.alarm.reset();
  return change;
}

const AlarmView* Engine::find(std::int64_t id) const {
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : &found->second;
}

}  // namespace watchroom::aggregator
