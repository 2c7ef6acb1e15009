// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string>

#include "aggregator/cli/client.hpp"
#include "aggregator/cli/console.hpp"

/// One function a subcommand; each returns what the program ends with.
namespace watchroom::cli {

int show_status(const Client& client, const Console& console);
int show_points(const Client& client, const Console& console, const std::string& filter);
int show_alarms(const Client& client, const Console& console, bool all);
int acknowledge(const Client& client, const Console& console, std::int64_t alarm, const std::string& comment);
int show_agents(const Client& client, const Console& console);
/// `place` is SITE/AGENT/DEVICE; without `wanted` the class is only shown.
int device_class(const Client& client, const Console& console, const std::string& place,
                 const std::string& wanted);

/// Says why, and as JSON too where that is wanted.
int give_up(const Console& console, const Error& error);

}  // namespace watchroom::cli
