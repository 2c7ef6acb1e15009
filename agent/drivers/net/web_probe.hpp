// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <span>
#include <stop_token>

#include "agent/drivers/host_address.hpp"
#include "agent/drivers/net/finding.hpp"

namespace watchroom::agent {

struct WebTarget {
  NetAddress address;
  HostAddress host;
  std::chrono::milliseconds timeout{5000};  ///< for all of it
};

/// Fetches all at once. A server whose certificate is not trusted is down; how many days the certificate has
/// left is told all the same.
void fetch(std::span<const WebTarget> targets, const std::stop_token& stop, const Found& found);

/// Why an answer does not count as up; empty: it does.
std::string complaint_of(const NetAddress& address, int status, std::string_view body);

}  // namespace watchroom::agent
