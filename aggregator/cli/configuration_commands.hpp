// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "aggregator/cli/client.hpp"
#include "aggregator/cli/console.hpp"

/// The configuration that the centre keeps for an agent. `place` is SITE/AGENT.
namespace watchroom::cli {

/// How far the agent is with it, and its text.
int show_configuration(const Client& client, const Console& console, const std::string& place);
int show_configuration_history(const Client& client, const Console& console, const std::string& place);
/// Gives the agent what is in `file` and waits until it is followed or refused, a minute at most.
int give_configuration(const Client& client, const Console& console, const std::string& place,
                       const std::string& file, const std::string& comment);
/// Gives it once more what it had as `number`.
int restore_configuration(const Client& client, const Console& console, const std::string& place,
                          std::int64_t number);

}  // namespace watchroom::cli
