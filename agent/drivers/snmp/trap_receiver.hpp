// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/drivers/host_names.hpp"
#include "agent/drivers/snmp/trap_tally.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// A trap or inform of one of the agent's devices.
struct ReceivedTrap {
  std::size_t device = 0;  ///< index into the agent's devices
  Timestamp at{};
  std::string text;  ///< for people, bounded
};

/// Listens for SNMP traps and informs (v1, v2c, v3) of the configured devices. Everything unknown is counted
/// and ignored. `settings`, `clock` and `names` must outlive it.
class TrapReceiver {
 public:
  struct Outputs {
    /// False: there is no room; an inform is then not acknowledged, so that it comes again.
    std::function<bool(ReceivedTrap)> deliver;
    /// Ask the device now; `started`: it may have other points than before.
    std::function<void(std::size_t device, bool started)> hurry;
    /// Counts for this receiver and those after it; must outlive it. Null: it counts for itself.
    TrapTally* tally = nullptr;
  };
  TrapReceiver(const AgentSettings& settings, const Clock& clock, HostNames& names, Log log, Outputs outputs);
  TrapReceiver(const TrapReceiver&) = delete;
  TrapReceiver& operator=(const TrapReceiver&) = delete;
  ~TrapReceiver();

  /// Listens from here on. An address that is not to be had is told, and tried again each minute.
  void start();
  /// Nothing is delivered after it returns.
  void stop();

  TrapCounts counts() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace watchroom::agent
