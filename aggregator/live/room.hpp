// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <vector>

#include "aggregator/live/views.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

struct DevicePlace {
  std::string site, agent, device;
};

/// The aggregator as its pages, API and exporters see it: what there is now, what changed since, and the few
/// things they may do. Thread-safe; calls copy under a lock and return, except `samples` and `acknowledge`,
/// which wait for the disk (bounded by the store's own deadline).
class Room {
 public:
  Room() = default;
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  virtual ~Room() = default;

  /// Grows with every change that a reader could see.
  virtual std::uint64_t version() const = 0;

  /// Those that changed after `since` (0: all) and for which `wanted` says yes. `wanted` runs under the lock:
  /// no calls back into the room.
  virtual std::vector<PointView> points(std::uint64_t since,
                                        const std::function<bool(const PointView&)>& wanted) const = 0;
  virtual std::vector<AgentView> agents(std::uint64_t since) const = 0;
  /// Open alarms (not normal), or those that became normal after `since` too when since > 0.
  virtual std::vector<AlarmView> alarms(std::uint64_t since) const = 0;
  virtual StatusView status() const = 0;

  /// From disk, newest first: at most `limit` of those for which `wanted` says yes.
  virtual Result<std::vector<AlarmView>> alarm_history(
      std::size_t limit, const std::function<bool(const AlarmView&)>& wanted) const = 0;
  /// From disk, oldest first, at most `limit` of the newest since `since`. Errc::not_found for an unknown id.
  virtual Result<std::vector<SampleView>> samples(const std::string& point_id, Timestamp since,
                                                  std::size_t limit) const = 0;

  /// Returns once it is on disk. Errc::not_found for an unknown alarm, Errc::conflict when it is acknowledged
  /// already.
  virtual Result<AlarmView> acknowledge(std::int64_t alarm, const std::string& by,
                                        const std::string& comment) = 0;

  /// Asks the device's agent for another class; what the device is like then. Errc::not_found for an unknown
  /// device, Errc::conflict when its agent cannot be asked.
  virtual Result<DeviceView> request_class(const DevicePlace& device, const std::string& wanted,
                                           const std::string& by) = 0;
};

}  // namespace watchroom::aggregator
