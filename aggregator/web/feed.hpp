// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "aggregator/identity/reach.hpp"
#include "aggregator/live/room.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// The text of the event stream (WHATWG HTML section 9.2.6), made once for all who listen and see the same
/// part of the house. One round at a time; rounds may run on different threads. `room` and `clock` must
/// outlive it.
class Feed {
 public:
  Feed(const Room& room, const Clock& clock) : room_{room}, clock_{clock} {}

  struct Round {
    std::string changes;  ///< since the round before; empty: nothing changed
    std::string full;     ///< everything, for those who are new; empty unless asked for
  };
  /// What one round makes. Whoever got `full` of a round needs the `changes` of all later ones and no more.
  struct Wanted {
    bool changes = false;
    bool full = false;
  };
  std::map<Reach, Round> round(const std::map<Reach, Wanted>& wanted);

 private:
  enum class Empty { leave_out, send };
  std::string status(const Reach& reach) const;
  std::string events(const Reach& reach, std::uint64_t since, std::uint64_t version, Empty empty) const;

  const Room& room_;
  const Clock& clock_;
  std::uint64_t seen_ = 0;
  Steady status_at_{};
};

}  // namespace watchroom::aggregator
