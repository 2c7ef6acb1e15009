// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// Asks each device whose profile has tables or optional points which of them it has, and completes its
/// description and sources. What was ever found is kept in data_dir/found_points.json, so that a device
/// that is silent now keeps the points it had. Blocks for a few reply time-outs; buses are asked in parallel.
/// Call once, after the settings are read, before anything is announced and before there are threads: it
/// prepares the drivers.
void discover_points(AgentSettings& settings, const Clock& clock, const Log& log);

}  // namespace watchroom::agent
