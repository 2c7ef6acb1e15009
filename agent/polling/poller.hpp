// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/polling/bus_workers.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// Prepares the drivers and gives each device the points it was found to have before. Call once, before
/// anything is announced and before there are threads.
void prepare_devices(AgentSettings& settings, const Log& log);

/// Asks every device at its pace: one thread and one connection a line or gateway, a pool of threads for
/// devices that share none. `deliver` is called on those threads: hand over and return. `clock` and `board`,
/// on which each bus shows what it does, must outlive it.
class Poller {
 public:
  Poller(const AgentSettings& settings, const Clock& clock, const Log& log, BusBoard& board,
         const std::function<void(PollResult)>& deliver);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  void start();
  /// Nothing is delivered after it returns, which takes about one reply time-out at most.
  void stop();

 private:
  FoundPoints found_;
  std::shared_ptr<PointLists> lists_;
  std::vector<std::unique_ptr<BusWorkers>> buses_;
};

}  // namespace watchroom::agent
