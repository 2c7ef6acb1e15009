// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <vector>

#include "agent/settings/agent_settings.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// Which optional points and table rows each device was ever found to have, in DATA_DIR/found_points/ID.json.
/// A row that vanished is a sensor lost, which somebody must be told, so nothing is ever taken away; another
/// address or profile is another device. Threads may use it for different devices at once.
class FoundPoints {
 public:
  FoundPoints(const std::filesystem::path& data_dir, Log log);

  /// A file that is missing or damaged is no more than a device not yet met.
  std::vector<FoundPoint> of(const ConfiguredDevice& device) const;
  /// Adds what is new, writes it down, and gives everything.
  std::vector<FoundPoint> add(const ConfiguredDevice& device, const std::vector<FoundPoint>& now) const;

 private:
  std::filesystem::path file_of(const ConfiguredDevice& device) const;

  std::filesystem::path folder_;
  Log log_;
};

bool has_points_to_find(const Profile& profile);

}  // namespace watchroom::agent
