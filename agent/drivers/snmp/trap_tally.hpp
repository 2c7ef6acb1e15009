// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <mutex>

namespace watchroom::agent {

/// What became of the datagrams that came.
struct TrapCounts {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;  ///< told already: an inform sent again, an SNMPv3 message replayed
  std::uint64_t unknown_sender = 0;
  std::uint64_t not_authentic = 0;  ///< wrong community, user or key, or too low a security level
  std::uint64_t malformed = 0;
  std::uint64_t untold = 0;  ///< of known devices, but more than can be told one by one
};

/// Counts them, also over receivers that follow one another. Any thread.
class TrapTally {
 public:
  void count(std::uint64_t TrapCounts::*which) {
    const std::lock_guard lock{mutex_};
    ++(counts_.*which);
  }
  TrapCounts counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  TrapCounts counts_;
};

}  // namespace watchroom::agent
