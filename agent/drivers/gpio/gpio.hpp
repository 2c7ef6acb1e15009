// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {

/// Dry contacts on the lines of a board file, by libgpiod.
extern const DriverType gpio;

}  // namespace watchroom::agent
