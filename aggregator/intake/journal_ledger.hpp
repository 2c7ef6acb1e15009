// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "proto/link/payload.hpp"

namespace watchroom::aggregator {

/// Which records of one agent's journal have come. Pure. A record is fresh once; the agent may delete what
/// `ack` names, so call that only for what is committed.
class JournalLedger {
 public:
  JournalLedger() = default;
  JournalLedger(JournalId journal, std::int64_t generation) : journal_{journal}, generation_{generation} {}
  /// From the store: ranges as written by `ranges_text`.
  static Result<JournalLedger> restore(JournalId journal, std::int64_t generation, std::uint64_t cumulative,
                                       const std::string& ranges, std::uint64_t missing);

  enum class Outcome { fresh, duplicate };
  /// `oldest_available`: what lies below it and never came is gone; it is counted and no longer waited for.
  Outcome note(std::uint64_t record, std::uint64_t oldest_available);
  void give_up_below(std::uint64_t oldest_available);

  const JournalId& journal() const { return journal_; }
  std::int64_t generation() const { return generation_; }
  std::uint64_t cumulative() const { return cumulative_; }
  std::uint64_t missing() const { return missing_; }
  /// The highest record ever noted.
  std::uint64_t highest() const { return ranges_.empty() ? cumulative_ : ranges_.rbegin()->second; }
  std::string ranges_text() const;
  /// At most `most_ranges` ranges above the cumulative number: the rest is told next time.
  JournalAck ack(const std::string& host_id, std::size_t most_ranges = 50) const;

 private:
  void absorb();

  JournalId journal_{};
  std::int64_t generation_ = 0;
  std::uint64_t cumulative_ = 0;
  std::uint64_t missing_ = 0;
  std::map<std::uint64_t, std::uint64_t>
      ranges_;  // first -> last; disjoint, not touching, all above cumulative_
};

}  // namespace watchroom::aggregator
