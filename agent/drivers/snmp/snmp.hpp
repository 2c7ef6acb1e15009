// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {

/// SNMP v1, v2c and v3 over UDP.
extern const DriverType snmp;

}  // namespace watchroom::agent
