// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/drivers/driver.hpp"
#include "agent/judge/judge_figures.hpp"
#include "agent/judge/judge_settings.hpp"
#include "agent/polling/poll_result.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// A moment on both scales: delays run on the one that never jumps, people read the other.
struct Instant {
  Steady steady{};
  Timestamp wall{};
};

/// Who has stopped the reactions, and until when.
struct Inhibition {
  std::string owner;
  std::string reason;
  Steady until{};
  Timestamp until_wall{};
  std::chrono::milliseconds granted{};  ///< never longer than this, whatever the clock says after a restart
};

/// A value that an output's point is to be given.
struct OutputWrite {
  std::uint64_t ticket = 0;  ///< to be given back with what became of it
  std::size_t device = 0;
  std::string point;
  std::int64_t code = 0;
  std::optional<Steady> not_after = {};  ///< of an order that is given up then
};

/// An order from outside, once it was found to be good.
struct JudgeOrder {
  std::uint64_t number = 0;
  Drive drive = Drive::keep;  ///< keep: back to its reactions
  std::string by;
  Steady done_by{};  ///< read back by then, or given up
  Steady until{};
};

/// Something that happened, for the log and the journal.
struct JudgeNote {
  LogLevel level = LogLevel::info;
  Timestamp at{};
  std::string text;
};

/// What must survive a restart.
struct KeptByJudge {
  std::optional<Inhibition> inhibition;
  std::vector<std::string> latched;  ///< names of reactions
  /// What outputs were before somebody ordered them, where nothing else says what they are to be afterwards.
  std::map<std::string, Drive> put_back = {};
};

/// Rules, outputs and inhibits of one agent: pure, no clock, no thread, no I/O. It is told what was read and
/// what became of writes, and says what is to be written. The same calls give the same writes.
class Judge {
 public:
  Judge(JudgeSettings settings, DeviceList devices, Instant now);
  /// Goes on where another one stood, whose settings were others: what has the same name is the same.
  Judge(JudgeSettings settings, DeviceList devices, const Judge& before, Instant now);

  void restore(const KeptByJudge& kept, Instant now);
  /// Whether a device's polls are of any use, as far as its points are known.
  bool is_of_interest(std::size_t device) const;

  void observe(const PollResult& polled, Instant now);
  void link_changed(bool is_up, Instant now);
  void inhibit(Inhibition inhibition, Instant now);
  /// False: nobody inhibits by command.
  bool end_inhibition(const std::string& by, Instant now);
  /// Of one reaction, or of all that are latched when `name` is empty.
  Result<std::string> reset(const std::string& name, const std::string& by, Instant now);
  /// An output on or off by somebody, until then. A reaction that is raised counts more, an inhibit keeps it
  /// from switching on; what they forbid at once is refused. Whether who orders may do so is decided before.
  Result<void> order(const std::string& output, JudgeOrder order, Instant now);
  /// Before other settings count: ends the orders of outputs that these do not have, or let nobody order.
  void let_go(const JudgeSettings& wanted, Instant now);
  /// Of those, the ones that are not yet as they are to be without an order.
  std::vector<std::string> still_to_put_back() const;

  void tick(Instant now);
  std::optional<Steady> deadline() const;

  /// What is to be written now; each once.
  std::vector<OutputWrite> take_writes(Instant now);
  void written(std::uint64_t ticket, const Result<WriteOutcome>& outcome, Instant now);

  std::vector<JudgeNote> take_notes();
  /// Set when what must be kept has changed since the last call.
  std::optional<KeptByJudge> take_kept();
  JudgeFigures figures() const;

 private:
  /// A rule at one point.
  struct Watch {
    PhaseState state;
    bool is_known = false;  ///< it was judged by a value at least once
  };
  using Watches = std::map<std::string, Watch>;  // by "device/point"
  struct Reaction {
    Watches watches;
    bool is_known = false;  ///< each of its points was judged by a value at least once
    bool was_raised = false;
    bool is_latched = false;
    std::optional<Steady> pulse_until;
  };
  struct Input {
    Watches watches;
    std::optional<Steady> since;
    bool is_spent = false;  // it has lasted too long
  };
  struct Order : JudgeOrder {
    OutputProgress progress = OutputProgress::none;
    bool was_done = false;

    bool is_open() const {
      return progress == OutputProgress::under_way || progress == OutputProgress::overruled ||
             (progress == OutputProgress::done && drive != Drive::keep);
    }
    bool holds() const { return drive != Drive::keep && is_open(); }
    Steady fails_at() const { return drive == Drive::keep ? done_by : std::min(done_by, until); }
  };
  struct Output {
    Drive wanted = Drive::keep;
    bool is_confirmed = false;  ///< it was read back as wanted
    bool has_begun = false;     ///< something but its start has had a say in it
    std::optional<std::int64_t> seen;
    std::uint64_t ticket = 0;  ///< of the write under way; 0: none
    Drive writing = Drive::keep;
    Steady try_at{};
    Steady told_at{};                         ///< that it fails
    std::optional<Steady> otherwise_told_at;  ///< that somebody else has switched it
    std::uint64_t failures_in_a_row = 0;
    std::uint64_t writes = 0, failures = 0;
    Order order;                   // the last one that was taken
    std::uint64_t refused = 0;     ///< number of the one that was refused last
    Drive put_back = Drive::keep;  ///< what it was before it was ordered, until it is so again
    bool is_let_go = false;
  };

  void match(std::size_t device);
  void observe(const LocalRule& rule, Watches& watches, const std::vector<std::size_t>& points,
               const PollResult& polled, Instant now);
  void tick(const LocalRule& rule, Watches& watches, Instant now);
  void settle(Instant now);
  void settle_inputs(Instant now);
  void settle_reaction(std::size_t index, Instant now);
  void settle_output(std::size_t index, Instant now);
  void want(std::size_t index, Drive wanted, Instant now);
  void end_order(std::size_t index, Instant now);
  void follow_order(std::size_t index, Instant now);
  std::string reason_against(std::size_t output, Drive drive, Instant now) const;
  void look_at_outputs(std::size_t device, const PollResult& polled, Instant now);
  void seen_otherwise(Output& output, const OutputSettings& settings, Instant now);
  std::optional<Drive> wanted_by_somebody(std::size_t index, Instant now) const;
  Drive rest_of(std::size_t index) const;
  Drive automatic_rest_of(std::size_t index) const;
  void set_put_back(Output& output, Drive drive);
  bool works(std::size_t reaction, std::size_t output) const;
  bool is_on(std::size_t reaction, Instant now) const;
  bool wants_on(std::size_t output, Instant now) const;
  bool is_known(std::size_t reaction) const;
  bool has_reaction(std::size_t output) const;
  bool is_judged(std::size_t output) const;
  bool is_link_lost(const OutputSettings& output, Instant now) const;
  bool is_driven_by_link_loss(std::size_t output, Instant now) const;
  OutputState state_of(std::size_t index) const;
  ReactionState state_of(const ReactionSettings& settings, const Reaction& reaction) const;
  std::string who_wants(std::size_t output, Instant now) const;
  void note(LogLevel level, Instant now, std::string text);

  JudgeSettings settings_;
  DeviceList devices_;
  std::vector<Reaction> reactions_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  // By device, and by rule: reactions first, then inhibits; which of its points are watched.
  std::vector<std::vector<std::vector<std::size_t>>> matches_;
  std::optional<Inhibition> command_;  // the inhibition by command
  bool is_inhibited_ = false;
  std::string inhibited_by_;
  bool is_link_up_ = false;
  Steady link_since_{};
  Instant now_;
  std::uint64_t tickets_ = 0;
  std::vector<JudgeNote> notes_;
  bool has_kept_changed_ = false;
};

}  // namespace watchroom::agent
