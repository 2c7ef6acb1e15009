// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {

/// Reachability and response time of hosts, network devices and applications: ICMP echo, TCP connect, HTTP.
extern const DriverType net;

}  // namespace watchroom::agent
