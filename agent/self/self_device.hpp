// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/polling/poll_result.hpp"
#include "agent/self/metrics.hpp"

namespace watchroom::agent {

/// No device of the configuration may have it.
constexpr std::string_view self_device_id = "self";
constexpr std::chrono::seconds self_poll_interval{10};

/// The agent as one of its own devices: turns figures into what a poll of it brought, so that they go the way
/// of all readings. It announces the points that it has values for; with the buses they come and go.
class SelfDevice {
 public:
  /// `index` among the agent's devices. `tells_events`: somebody has events for it.
  explicit SelfDevice(std::size_t index, bool tells_events = false)
      : index_{index}, tells_events_{tells_events} {}

  /// Before anything is known: without points.
  static DeviceDescription description(bool tells_events = false);
  /// Carries a new description whenever the points are others than the last time.
  PollResult polled(const SelfFigures& figures);

 private:
  DeviceDescription described(const SelfFigures& figures) const;

  using Point = std::pair<const MetricDescription*, std::string>;  // with its instance

  const std::size_t index_;
  const bool tells_events_;
  std::vector<Point> points_;
};

}  // namespace watchroom::agent
