// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {

/// A device that is asked less often than it must be heard of is a mistake; told at the key that was written.
void check_pace(const SettingsTable& table, const ClassTerms& terms);

/// Reads the `[[device]]` tables one after the other, and remembers what two devices may not share.
class DevicesReader {
 public:
  DevicesReader(std::filesystem::path profiles_dir, const AllClassTerms& classes, PointLists& lists)
      : profiles_dir_{std::move(profiles_dir)}, classes_{classes}, lists_{lists} {}

  ConfiguredDevice read(const SettingsTable& table);

 private:
  struct FirstUse {
    std::string text;
    int line = 0;
  };
  void check_id(const SettingsTable& table, const std::string& id);
  std::shared_ptr<const Profile> find_profile(const SettingsTable& table, const std::string& name);
  void add_profile(const SettingsTable& table, ConfiguredDevice& device, const std::string& name);
  void read_address(const SettingsTable& table, DeviceAddress& address);
  void check_line(const SettingsTable& table, const DeviceAddress& address);
  void check_driver(const SettingsTable& table, const ConfiguredDevice& device) const;

  std::filesystem::path profiles_dir_;
  AllClassTerms classes_;
  PointLists& lists_;
  std::map<std::string, FirstUse> ids_;                             // by id in lower case
  std::map<std::string, std::pair<SerialLine, int>> lines_;         // by serial path
  std::map<std::string, std::shared_ptr<const Profile>> profiles_;  // null: has problems
  std::map<std::string, std::shared_ptr<const Profile>> combined_;  // by their names
};

}  // namespace watchroom::agent
