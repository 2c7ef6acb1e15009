// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <map>
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
  const std::vector<Rule>& rules() const { return rules_; }

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
    std::size_t rule = 0;
    PhaseState state;
    std::optional<Timestamp> began;  // when it was first beyond the limit, by the agent's clock
    std::deque<Period> told;         // alarms that people know of already, the newest few
    std::optional<Past> past;
    std::optional<std::int64_t> alarm;  // open alarm of this watch
  };
  struct Watched {
    SubjectAddress address;
    Situation situation;
    std::vector<Watch> watches;
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
  void enter(SubjectId subject, std::size_t watch, PhaseState after, Moment now,
             std::vector<AlarmChange>& changes);
  AlarmChange raise(Watched& watched, Watch& watch, Moment now);
  void fill(AlarmView& alarm, const Watched& watched, const Rule& rule, const Situation& situation) const;
  static void note_told(Watch& watch, Timestamp begin, Timestamp end);
  static bool is_told(const Watch& watch, Timestamp begin, Timestamp end);
  void end_past(SubjectId subject, std::size_t watch);
  void settle(SubjectId subject, std::size_t watch, Timestamp known, Moment now,
              std::vector<AlarmChange>& changes);
  void raise_late(SubjectId subject, std::size_t watch, Moment now, std::vector<AlarmChange>& changes);
  std::optional<AlarmChange> tell_past(Watched& watched, Watch& watch, Timestamp cleared_at);
  std::optional<AlarmChange> clear(Watch& watch, Moment now);

  std::vector<Rule> rules_;
  std::vector<Watched> subjects_;
  std::unordered_map<std::string, SubjectId> subjects_by_key_;
  std::map<std::int64_t, AlarmView> open_;
  std::unordered_map<std::string, std::int64_t>
      restored_;  // key of subject + rule, until its subject appears
  std::unordered_map<std::string, LateWatch> restored_late_;  // the same
  std::vector<LateWatch> late_orphans_;
  std::set<std::pair<SubjectId, std::size_t>> changed_late_;
  std::set<Due> due_;
  std::int64_t highest_id_ = 0;
};

}  // namespace watchroom::aggregator
