// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "agent/polling/poll_result.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// Asks every device at its pace, one thread and one connection a bus. `deliver` is called on those threads:
/// hand over and return. `clock` must outlive it.
class Poller {
 public:
  Poller(const AgentSettings& settings, const Clock& clock, const Log& log,
         const std::function<void(PollResult)>& deliver);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  void start();
  /// Nothing is delivered after it returns, which takes about one reply time-out at most.
  void stop();

 private:
  class BusThread;
  std::vector<std::unique_ptr<BusThread>> buses_;
};

}  // namespace watchroom::agent
