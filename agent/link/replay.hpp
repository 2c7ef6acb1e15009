// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/journal/journal.hpp"

namespace watchroom::agent {

/// Which records are to be sent once more, and when: the backlog of a new session, and what a session sent
/// and no host acknowledged. Paced, with a bounded number of unacknowledged records on the way. Knows nothing
/// of MQTT; `journal` must outlive it.
class Replay {
 public:
  /// A record on its way is sent once more when it was not acknowledged for this long.
  static constexpr std::chrono::seconds patience{10};

  Replay(Journal& journal, int records_per_s);

  void clear();
  void add(RecordRange range) { waiting_.add(range.first, range.last); }
  /// Everything one of `hosts` lacks and that is not on its way.
  void add_all_but_flights(RecordRange range);
  enum class Kind { live, replayed };
  void note_sent(std::uint64_t number, Kind kind, Steady now);

  /// What was not acknowledged in time waits again.
  void expire(Steady now, const std::vector<std::string>& hosts);
  /// The next records to send, oldest first; none when it is not time yet or too many are on their way.
  Result<std::vector<JournalRecord>> take(Steady now, const std::vector<std::string>& hosts);

  /// Nothing committed waits any more (some may be on their way).
  bool is_drained() const;
  std::uint64_t waiting() const { return waiting_.count(); }
  /// When `take` (unless paused) or `expire` has something to do.
  std::optional<Steady> deadline(bool is_paused, const std::vector<std::string>& hosts) const;

 private:
  struct Flight {
    RecordRange range;
    Kind kind = Kind::live;
    Steady sent_at{};
  };
  std::uint64_t on_their_way(const std::vector<std::string>& hosts) const;

  Journal& journal_;
  std::chrono::milliseconds interval_;
  std::size_t batch_;
  std::uint64_t window_;
  RecordSet waiting_;
  std::deque<Flight> flights_;  // oldest first
  Steady next_at_{};
};

}  // namespace watchroom::agent
