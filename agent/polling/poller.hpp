// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/polling/bus_workers.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// Prepares the drivers and gives each device the points it was found to have before. Call once, before
/// anything is announced and before there are threads.
/// `given_classes` come from the centre and stand above agent.toml.
void prepare_devices(AgentSettings& settings, const std::map<std::string, ResourceClass>& given_classes,
                     FoundPoints& found);

/// What one poller leaves to the next, and others use as well. Null: it has its own.
struct PollerShared {
  HostNames* names = nullptr;
  FoundPoints* found = nullptr;
};

/// Asks every device at its pace: one thread and one connection a line or gateway, a pool of threads for
/// devices that share none. `deliver` is called on those threads: hand over and return. `clock` and `board`,
/// on which each bus shows what it does, must outlive it, and so must what is shared.
class Poller {
 public:
  Poller(const AgentSettings& settings, const Clock& clock, const Log& log, BusBoard& board,
         const std::function<void(PollResult)>& deliver, const PollerShared& shared = {});
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  void start();
  /// From any thread: asks one of the agent's devices, by its index, as soon as may be and besides its
  /// rhythm; a storm of these costs one extra poll a second. `find_points`: it may have others now.
  void hurry(std::size_t device, bool find_points = false);
  /// From any thread: the centre wants a device in another class.
  void put_into_class(std::size_t device, ResourceClass resource_class);
  /// From any thread: sets a point of one of the agent's devices (BusWorkers::write).
  void write(PointWrite write);
  /// Nothing is delivered after it returns, which takes about one reply time-out at most.
  void stop();
  /// The same, but what is answered within `patience` is delivered; only then questions are broken off.
  void finish(std::chrono::milliseconds patience);

 private:
  std::optional<FoundPoints> own_found_;
  FoundPoints& found_;
  std::shared_ptr<PointLists> lists_;
  AllClassTerms classes_;
  std::vector<std::unique_ptr<BusWorkers>> buses_;
  struct Place {
    BusWorkers* bus = nullptr;
    std::size_t device = 0;  // of that bus
  };
  std::vector<Place> places_;  // by the agent's index
};

}  // namespace watchroom::agent
