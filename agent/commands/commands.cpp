// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/commands/commands.hpp"

#include <cstdio>

#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {

int check_command(const std::filesystem::path& settings_file) {
  Problems problems;
  const auto settings = AgentSettings::load(settings_file, problems);
  if (!settings) {
    fmt::print(stderr, "{}", problems.str());
    return 2;
  }
  fmt::print("{}: {} devices, no problems\n", settings_file.string(), settings->devices.size());
  return 0;
}

int describe_command() {
  fmt::print("{}", AgentSettings::describe());
  return 0;
}

}  // namespace watchroom::agent
