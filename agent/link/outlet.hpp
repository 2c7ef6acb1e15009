// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <vector>

#include "proto/link/mqtt_session.hpp"

namespace watchroom::agent {

/// Where the edge node's messages go: the broker, or a test. Called by the core thread; does not block.
class Outlet {
 public:
  Outlet() = default;
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  virtual ~Outlet() = default;

  /// The answer to WillWanted.
  virtual void provide_will(SessionNumber session, MqttMessage will) = 0;
  /// Both are refused when `session` has ended.
  virtual Result<void> subscribe(SessionNumber session, const std::vector<std::string>& topics) = 0;
  virtual Result<void> publish(SessionNumber session, const MqttMessage& message) = 0;
};

}  // namespace watchroom::agent
