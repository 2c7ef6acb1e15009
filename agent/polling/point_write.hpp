// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/drivers/driver.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// A value for a point of a device, and who wants to know what became of it.
struct PointWrite {
  std::size_t device = 0;  ///< index into the agent's devices
  std::string point;
  Value value;
  std::optional<Steady> not_after = {};  ///< later it is not written, but done with Errc::cancelled
  /// Called on a bus thread: hand over and return. Not at all when polling stops before.
  std::function<void(Result<WriteOutcome>)> done;
};

}  // namespace watchroom::agent
