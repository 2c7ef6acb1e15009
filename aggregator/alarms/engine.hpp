// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "aggregator/alarms/late_watch.hpp"
#include "aggregator/alarms/rule.hpp"
#include "aggregator/live/views.hpp"

namespace watchroom::aggregator {

/// What happened to an alarm, for the store, the pages and the notices.
enum class AlarmEvent {
  raised,        ///< people must be told
  cleared,       ///< the condition is gone
  acknowledged,  ///< somebody has answered
  withdrawn,     ///< its rule was taken away, or its point is no longer reported: people must be told
  closed,        ///< its rule was taken away when it had cleared already
  past,          ///< it came and went while nobody could hear it: people must be told, once
};

std::string_view name_of(AlarmEvent event);

struct AlarmChange {
  AlarmEvent event;
  AlarmView alarm;  ///< as it is after the event
};

extern const Bilingual rule_taken_away;

/// Who an alarm speaks of. `device` and `point` are empty for agents, everything for the broker.
struct SubjectAddress {
  Subject subject = Subject::point;
  std::string site, agent, device, point;
  std::string device_name, point_label_zh, point_label_en;
};

/// A point in time on both scales: delays run on one that never jumps, people read the other.
struct Moment {
  Timestamp steady;
  Timestamp wall;
  Moment(Timestamp steady_at, Timestamp wall_at) : steady{steady_at}, wall{wall_at} {}
  Moment(Timestamp at) : Moment{at, at} {}  // where both go the same way
};

/// Index of a watched subject; valid as long as the engine.
using SubjectId = std::size_t;

/// All alarms: rules × subjects, ISA-18.2 life cycles. Deterministic, no I/O, no clock: the same calls give
/// the same alarms. Owned by one thread. Times are the caller's; steady ones must not go back.
class Engine {
 public:
  explicit Engine(std::vector<Rule> rules);
  Engine(const Engine&) = delete;  // watches point to rules
  Engine& operator=(const Engine&) = delete;
  ~Engine() = default;

  /// Open alarms from the store, before anything is observed, and the highest id ever given. What no rule
  /// watches any more is closed by `withdraw_orphans`.
  void restore(std::vector<AlarmView> open, std::int64_t highest_id);
  std::vector<AlarmChange> withdraw_orphans(Moment now);
  /// What late readings had begun when we stopped; before any subject is named.
  void restore_late(std::vector<LateWatch> watches);
  bool has_late(SubjectId subject) const;
  /// Those that changed since the last call.
  std::vector<LateWatch> take_late_changes();

  /// The same address gives the same id. Names and labels are taken from the latest call.
  SubjectId subject(const SubjectAddress& address);

  /// The alarms that the profile of the subject's device asks for, in place of those it had. One that is no
  /// more, and a built-in rule that one of them takes the place of, ends like a rule that is taken away.
  std::vector<AlarmChange> set_profile_alarms(SubjectId subject,
                                              const std::vector<std::optional<PointAlarm>>& alarms,
                                              Moment now);

  /// The subject is no more: what is raised ends with `why`, never as recovered. It may come back.
  std::vector<AlarmChange> withdraw(SubjectId subject, const Bilingual& why, Moment now);

  std::vector<AlarmChange> observe(SubjectId subject, const Situation& situation, Moment now);
  /// A reading that comes late, with its own time: judged apart from what is true now. Readings that go back
  /// in time are passed over.
  std::vector<AlarmChange> observe_past(SubjectId subject, const Situation& situation, Timestamp taken_at);
  /// No more late readings are expected; what is true now was read at `known`. What they raised is over when
  /// that says so, else it is an alarm of now; a delay that began before counts from there.
  std::vector<AlarmChange> settle_past(SubjectId subject, Timestamp known, Moment now);

  /// Ends the delays that are over.
  std::vector<AlarmChange> tick(Moment now);
  std::optional<Timestamp> next_deadline() const;

  /// Errc::not_found, or Errc::conflict when it is acknowledged already.
  Result<AlarmChange> acknowledge(std::int64_t id, const std::string& by, const std::string& comment,
                                  Moment now);

  const AlarmView* find(std::int64_t id) const;
  const std::map<std::int64_t, AlarmView>& open() const { return open_; }

 private:
  /// The same rule on late readings only.
  struct Past {
    PhaseState state;
    Timestamp seen_until{};
    Timestamp raised_at{};
    Situation when_raised;
  };
  /// By the agent's clock.
  struct Period {
    Timestamp begin, end;
  };
  struct Watch {
    const Rule* rule = nullptr;  // ours, or one of the subject's own
    PhaseState state;
    std::optional<Timestamp> began;  // when it was first beyond the limit, by the agent's clock
    std::deque<Period> told;         // alarms that people know of already, the newest few
    std::optional<Past> past;
    std::optional<std::int64_t> alarm;  // open alarm of this watch
  };
  /// An alarm of the subject's profile, and the rule that it is.
  struct Own {
    PointAlarm alarm;
    std::unique_ptr<const Rule> rule;
  };
  struct Watched {
    SubjectAddress address;
    Situation situation;
    std::vector<Own> own;
    std::vector<Watch> watches;  // the more a rule's word counts, the earlier
  };
  struct Due {
    Timestamp at;
    SubjectId subject;
    std::size_t watch;
    auto operator<=>(const Due&) const = default;
  };

  static std::string key_of(const SubjectAddress& address);
  static std::string key_of(const AlarmView& alarm);
  bool watches(const Rule& rule, const SubjectAddress& address) const;
  Watch begin(const Rule& rule, const std::string& key);
  std::vector<const Rule*> rules_for(const Watched& watched) const;
  bool is_allowed(const Rule& own, const SubjectAddress& address) const;
  void end(SubjectId subject, std::size_t watch, const Bilingual& why, Moment now,
           std::vector<AlarmChange>& changes);
  void enter(SubjectId subject, std::size_t watch, PhaseState after, Moment now,
             std::vector<AlarmChange>& changes);
  static bool is_covered(const Watched& watched, const Watch& watch);
  void raise_uncovered(SubjectId subject, Moment now, std::vector<AlarmChange>& changes);
  LateWatch late_of(const Watched& watched, const Watch& watch) const;
  AlarmChange raise(Watched& watched, Watch& watch, Moment now);
  void fill(AlarmView& alarm, const Watched& watched, const Rule& rule, const Situation& situation) const;
  static bool is_told_otherwise(const Watched& watched, const Watch& watch, Timestamp cleared_at);
  static void note_told(Watch& watch, Timestamp begin, Timestamp end);
  static bool is_told(const Watch& watch, Timestamp begin, Timestamp end);
  void end_past(SubjectId subject, std::size_t watch);
  void settle(SubjectId subject, std::size_t watch, Timestamp known, Moment now,
              std::vector<AlarmChange>& changes);
  void raise_late(SubjectId subject, std::size_t watch, Moment now, std::vector<AlarmChange>& changes);
  std::optional<AlarmChange> tell_past(Watched& watched, Watch& watch, Timestamp cleared_at);
  std::optional<AlarmChange> clear(Watch& watch, Moment now);

  std::vector<Rule> rules_;
  std::vector<Rule> taken_away_;  // without condition: alarms of profiles that the site does not want
  std::vector<Watched> subjects_;
  std::unordered_map<std::string, SubjectId> subjects_by_key_;
  std::map<std::int64_t, AlarmView> open_;
  std::unordered_map<std::string, std::int64_t>
      restored_;  // key of subject + rule, until its subject appears
  std::unordered_map<std::string, LateWatch> restored_late_;  // the same
  std::vector<LateWatch> late_changes_;                       // of watches that are no more
  std::set<std::pair<SubjectId, std::size_t>> changed_late_;
  std::set<Due> due_;
  std::int64_t highest_id_ = 0;
};

}  // namespace watchroom::aggregator
