// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/commands/commands.hpp"

#include <cstdio>

#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {

std::vector<std::shared_ptr<const Profile>> load_profiles(const std::filesystem::path& folder,
                                                          std::string_view driver) {
  std::vector<std::shared_ptr<const Profile>> all;
  for (const std::string& name : profile_names(folder)) {
    Problems problems;
    auto profile = Profile::load(folder / (name + ".toml"), problems);
    // One bad profile must not hinder the recognition of another device.
    if (!profile) fmt::print(stderr, "{}.toml is left out: {}", name, problems.str());
    if (profile && profile->bus == driver)
      all.push_back(std::make_shared<const Profile>(*std::move(profile)));
  }
  return all;
}

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
