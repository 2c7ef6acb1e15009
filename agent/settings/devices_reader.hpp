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

/// Why nothing at a device's address may be set: it is one of fire or gas protection, by its profile or by
/// what it is called. Empty: it is not.
std::string protection_of(const ConfiguredDevice& device);

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
  void check_protection(const SettingsTable& table, const ConfiguredDevice& device);
  void check_driver(const SettingsTable& table, const ConfiguredDevice& device) const;

  /// Who is at one address: the first that is of fire protection, and the first that can be set.
  struct AtPlace {
    FirstUse of_protection, settable;
    std::string protection;
  };

  std::filesystem::path profiles_dir_;
  AllClassTerms classes_;
  PointLists& lists_;
  std::map<std::string, FirstUse> ids_;  // by id in lower case
  std::map<std::string, AtPlace> places_;
  std::map<std::string, FirstUse> lines_;                           // settings by bus
  std::map<std::string, std::shared_ptr<const Profile>> profiles_;  // null: has problems
  std::map<std::string, std::shared_ptr<const Profile>> combined_;  // by their names
};

}  // namespace watchroom::agent
