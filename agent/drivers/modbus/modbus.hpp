// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {

/// Modbus RTU, Modbus TCP and RTU over TCP.
extern const DriverType modbus;

}  // namespace watchroom::agent
