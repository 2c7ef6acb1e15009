// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "proto/base/clock.hpp"
#include "proto/link/payload.hpp"

namespace watchroom::aggregator {

/// Whether two agents live under one name: then the broker throws out the one when the other comes, and
/// births of both alternate. No clock, no I/O. What one agent alone never does:
/// - two journals that take turns: A, B, A, B. A disk that was replaced is A, B; one that fails to mount now
///   and then is A, X, A, Y, for a journal in memory is a new one each time.
/// - one journal whose numbers, or whose bdSeq, go back again and again: a restored image goes back once.
class CloneWatch {
 public:
  enum class Finding { unknown, none, cloned };

  void born(const JournalId& journal, std::uint64_t head, std::optional<std::int64_t> bd_seq, Steady now);
  /// The death that the last birth had announced has come.
  void died();
  /// Unknown until it has been watched for a while.
  Finding finding(Steady now) const;

 private:
  struct Life {
    std::uint64_t head = 0;
    std::optional<std::int64_t> bd_seq;
    bool has_died = false;
    Steady seen{};
  };
  struct Oddity {
    Steady at{};
    JournalId journal{};
    bool is_return = false;  // of a journal after another; else a step back
  };
  static bool steps_back(const Life& life, std::uint64_t head, std::optional<std::int64_t> bd_seq);

  std::optional<Steady> began_;
  std::optional<JournalId> current_;
  std::map<JournalId, Life> lives_;
  std::deque<Oddity> oddities_;  // the newest few
};

}  // namespace watchroom::aggregator
