// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "agent/drivers/snmp/trap_senders.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Which ignored traps are worth a line in the log: of each known device, and of all strangers together, one
/// a minute for each reason. So nobody's noise hides that a device of ours has another key. Pure.
class TrapWarnings {
 public:
  /// `known`: the address of a configured device.
  bool may_tell(const std::optional<IpAddress>& known, std::string_view why, Steady now) {
    std::optional<Steady>& told_at = told_at_[{known, std::string{why}}];
    if (told_at && now - *told_at < std::chrono::minutes{1}) return false;
    told_at = now;
    return true;
  }

 private:
  std::map<std::pair<std::optional<IpAddress>, std::string>, std::optional<Steady>> told_at_;
};

}  // namespace watchroom::agent
