// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/commands/commands.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "agent/settings/agent_settings.hpp"
#include "proto/link/start_check.hpp"

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

int check_command(const std::filesystem::path& settings_file, bool json) {
  Problems problems;
  const auto settings = AgentSettings::load(settings_file, problems);
  if (!settings || !problems.empty()) return command_line::give_up(problems, json);
  StartFindings findings;
  check_broker(settings->broker, settings->enrolment.has_value(), SystemClock{}.now(), findings);
  // Without a disk the agent runs on in memory: worth a hint, and an alarm later.
  check_folder("data_dir", settings->data_dir, false, findings);
  const std::size_t devices = settings->devices.size();
  return report_check(settings_file,
                      fmt::format("配置正确，共 {0} 台设备 / settings are valid, {0} devices", devices),
                      {{"devices", devices}}, findings, problems.warnings(), json);
}

int describe_command() {
  fmt::print("{}", AgentSettings::describe());
  return 0;
}

}  // namespace watchroom::agent
