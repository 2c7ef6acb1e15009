// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "aggregator/cli/client.hpp"
#include "aggregator/cli/console.hpp"

/// Letting agents in and out; `place` is SITE/AGENT.
namespace watchroom::cli {

/// The token goes to standard output, or into `file` (0600), which must not be there yet.
int enrol_agent(const Client& client, const Console& console, const std::string& place, int hours,
                const std::string& file);
int revoke_agent(const Client& client, const Console& console, const std::string& place,
                 const std::string& reason);

}  // namespace watchroom::cli
