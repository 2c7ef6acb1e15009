// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <span>
#include <stop_token>

#include "agent/drivers/host_address.hpp"
#include "agent/drivers/net/finding.hpp"

namespace watchroom::agent {

struct TcpTarget {
  HostAddress address;  ///< with its port
  std::chrono::milliseconds timeout{1000};
};

/// Connects to all at once and hangs up. A port that refuses is down, its host is not.
void connect_to(std::span<const TcpTarget> targets, const std::stop_token& stop, const Found& found);

}  // namespace watchroom::agent
