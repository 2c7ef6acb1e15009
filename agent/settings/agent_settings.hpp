// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/drivers/device_address.hpp"
#include "agent/polling/poll_result.hpp"
#include "agent/profiles/profile.hpp"
#include "agent/settings/listen_address.hpp"
#include "proto/base/log.hpp"
#include "proto/base/settings.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom::agent {

/// One `[[device]]` with its profile. `description.points` and `sources` are in one order; table rows and
/// optional points come to both as they are found (agent/polling/found_points.hpp).
struct ConfiguredDevice {
  DeviceDescription description;
  std::vector<PointSource> sources;
  std::shared_ptr<const Profile> profile;  // shared by all devices of one model
  DeviceAddress address;                   // with the device's secret files
  std::chrono::milliseconds reply_timeout{};
  std::chrono::milliseconds gap{};  // between two requests to it
  int line = 0;                     // in agent.toml
};

/// agent.toml, read and checked.
struct AgentSettings {
  struct Journal {
    std::vector<std::string> ack_hosts;  ///< Sparkplug host ids whose acknowledgement deletes records
    std::chrono::milliseconds urgent_commit{};
    std::chrono::milliseconds commit{};
    std::int64_t max_size_bytes = 0;
    std::int64_t max_memory_bytes = 0;
    std::chrono::milliseconds max_age{};
    int replay_records_per_s = 0;
  };

  /// How it watches itself.
  struct Self {
    bool is_enabled = true;
    std::optional<ListenAddress> metrics;
  };

  std::string site;
  std::string agent;
  std::string name;
  std::filesystem::path data_dir;
  std::filesystem::path profiles_dir;
  LogLevel log_level = LogLevel::info;
  BrokerSettings broker;
  Journal journal;
  Self self;
  std::vector<ConfiguredDevice> devices;

  /// Nothing when anything is wrong in the file or in a profile it names; all of it is in `problems`.
  static std::optional<AgentSettings> load(const std::filesystem::path& file, Problems& problems);
  static std::optional<AgentSettings> parse(std::string_view text, const std::string& file,
                                            Problems& problems);
  /// agent.toml with every key commented.
  static std::string describe();
};

}  // namespace watchroom::agent
