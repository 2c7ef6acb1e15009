// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Alarms that profiles ask for, beside the site's rules and the built-in ones. Nobody is told the same
// trouble twice, and nobody less than without the profile: every rule judges on its own, and only the telling
// of one is left out, while an alarm whose word counts more, of the same direction and at least as severe, is
// raised on the same point. When that one ends first, the other is told.
#include <algorithm>

#include "aggregator/alarms/engine.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::aggregator {
namespace {

/// A site's rules and the built-in ones stand beside each other, as ever: a rules file replaces by id.
bool covers(const Rule& higher, const Rule& lower) {
  return higher.layer > lower.layer && (higher.layer == Layer::profile || lower.layer == Layer::profile) &&
         higher.kind->direction != Direction::none && higher.kind->direction == lower.kind->direction &&
         higher.severity <= lower.severity;
}

}  // namespace

static_assert(Severity::critical < Severity::major && Severity::major < Severity::minor &&
              Severity::minor < Severity::warning);

/// A site may take an alarm away, or write its own in its place.
bool Engine::is_allowed(const Rule& own, const SubjectAddress& address) const {
  const auto is_of = [&](const Rule& rule) {
    return matches_glob(rule.site, address.site) && matches_glob(rule.agent, address.agent) &&
           matches_glob(rule.device, address.device) && matches_glob(rule.id, own.id);
  };
  return std::none_of(taken_away_.begin(), taken_away_.end(), is_of) &&
         std::none_of(rules_.begin(), rules_.end(),
                      [&](const Rule& rule) { return rule.id == own.id && watches(rule, address); });
}

/// In order of whose word counts more.
std::vector<const Rule*> Engine::rules_for(const Watched& watched) const {
  std::vector<const Rule*> rules;
  std::vector<const Rule*> own;
  for (const Own& each : watched.own)
    if (is_allowed(*each.rule, watched.address)) own.push_back(each.rule.get());
  const auto gives_way = [&](const Rule& rule) {
    return std::any_of(own.begin(), own.end(), [&](const Rule* each) {
      return each->is_instead && each->kind->direction == rule.kind->direction;
    });
  };
  for (const Rule& rule : rules_)
    if (rule.layer == Layer::site && watches(rule, watched.address)) rules.push_back(&rule);
  rules.insert(rules.end(), own.begin(), own.end());
  for (const Rule& rule : rules_)
    if (rule.layer == Layer::built_in && watches(rule, watched.address) && !gives_way(rule))
      rules.push_back(&rule);
  return rules;
}

std::vector<AlarmChange> Engine::set_profile_alarms(SubjectId subject,
                                                    const std::vector<std::optional<PointAlarm>>& alarms,
                                                    Moment now) {
  std::vector<AlarmChange> changes;
  Watched& watched = subjects_.at(subject);
  if (watched.own.empty() && alarms.empty()) return changes;
  auto before = std::exchange(watched.own, {});
  for (std::size_t i = 0; i < alarms.size(); ++i) {
    if (!alarms[i]) continue;
    Rule rule = rule_of(*alarms[i], watched.address.point, i + 1);
    // One that asks for the same as before goes on.
    const auto same = std::find_if(before.begin(), before.end(), [&](const Own& own) {
      return own.rule && own.rule->id == rule.id && own.alarm == *alarms[i];
    });
    watched.own.push_back(same == before.end()
                              ? Own{*alarms[i], std::make_unique<const Rule>(std::move(rule))}
                              : std::move(*same));
  }
  const auto wanted = rules_for(watched);
  const auto is_wanted = [&](const Watch& watch) {
    return std::find(wanted.begin(), wanted.end(), watch.rule) != wanted.end();
  };
  for (std::size_t i = 0; i < watched.watches.size(); ++i)
    if (!is_wanted(watched.watches[i])) end(subject, i, rule_taken_away, now, changes);
  // Places in the list change now: nothing may point to the old ones.
  for (std::size_t i = 0; i < watched.watches.size(); ++i) {
    const Watch& watch = watched.watches[i];
    if (changed_late_.erase({subject, i}) > 0) late_changes_.push_back(late_of(watched, watch));
    if (const auto due = deadline(watch.rule->delays, watch.state)) due_.erase({*due, subject, i});
  }
  const std::string key = key_of(watched.address);
  std::vector<Watch> watches;
  for (const Rule* rule : wanted) {
    const auto kept = std::find_if(watched.watches.begin(), watched.watches.end(),
                                   [&](const Watch& watch) { return watch.rule == rule; });
    watches.push_back(kept == watched.watches.end() ? begin(*rule, key) : std::move(*kept));
    if (const auto due = deadline(rule->delays, watches.back().state))
      due_.insert({*due, subject, watches.size() - 1});
  }
  watched.watches = std::move(watches);
  raise_uncovered(subject, now, changes);
  return changes;
}

bool Engine::is_covered(const Watched& watched, const Watch& watch) {
  return std::any_of(watched.watches.begin(), watched.watches.end(), [&](const Watch& other) {
    return is_active(other.state) && covers(*other.rule, *watch.rule);
  });
}

/// Those that hold, and that no other alarm speaks for any more.
void Engine::raise_uncovered(SubjectId subject, Moment now, std::vector<AlarmChange>& changes) {
  Watched& watched = subjects_[subject];
  for (Watch& watch : watched.watches) {
    const bool is_told = watch.alarm && open_.at(*watch.alarm).is_active;
    if (is_active(watch.state) && !is_told && !is_covered(watched, watch))
      changes.push_back(raise(watched, watch, now));
  }
}

/// Another alarm of the point told, or tells, of the same time.
bool Engine::is_told_otherwise(const Watched& watched, const Watch& watch, Timestamp cleared_at) {
  return std::any_of(watched.watches.begin(), watched.watches.end(), [&](const Watch& other) {
    if (!covers(*other.rule, *watch.rule)) return false;
    const bool is_on = is_active(other.state) && other.began && *other.began <= watch.past->raised_at;
    return is_on || is_told(other, watch.past->raised_at, cleared_at);
  });
}

}  // namespace watchroom::aggregator
