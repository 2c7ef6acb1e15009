// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// Which optional points and table rows each device was ever found to have. DATA_DIR/found_points/ID.json is
/// a copy for the next start. A row that vanished is a sensor lost, which somebody must be told, so nothing
/// is taken away but rows of tables whose rows come and go by nature, a day after they were seen last.
/// Another address or profile is another device. Any thread.
class FoundPoints {
 public:
  FoundPoints(const std::filesystem::path& data_dir, Log log);

  /// A file that is missing or damaged is no more than a device not yet met.
  std::vector<FoundPoint> of(const ConfiguredDevice& device);
  /// Adds what is new, writes it down, and gives everything.
  std::vector<FoundPoint> add(const ConfiguredDevice& device, const std::vector<FoundPoint>& now, Steady at);

 private:
  using Points = std::vector<FoundPoint>;
  struct Known {
    std::string identity;
    std::shared_ptr<const Points> points;    // never null; equal devices share them
    std::map<FoundPoint, Steady> gone = {};  // rows that come and go, since when
    std::size_t left_out = 0;                // told of
  };
  /// With mutex_ held.
  Known& known(const ConfiguredDevice& device);
  std::shared_ptr<const Points> shared(Points points);
  bool forget_long_gone(const ConfiguredDevice& device, Known& known, Points& all, const Points& now,
                        Steady at) const;
  Points read(const ConfiguredDevice& device, const std::string& identity) const;
  void write(const ConfiguredDevice& device, const Points& points) const;
  std::filesystem::path file_of(const ConfiguredDevice& device) const;

  std::filesystem::path folder_;
  Log log_;
  std::mutex mutex_;                    // of what follows
  std::map<std::string, Known> known_;  // by device
  std::map<Points, std::weak_ptr<const Points>> shared_;
};

bool has_points_to_find(const Profile& profile);

}  // namespace watchroom::agent
