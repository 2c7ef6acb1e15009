// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/drivers/device_address.hpp"
#include "agent/judge/judge_settings.hpp"
#include "agent/polling/poll_result.hpp"
#include "agent/profiles/point_lists.hpp"
#include "agent/profiles/profile.hpp"
#include "agent/settings/est_address.hpp"
#include "agent/settings/listen_address.hpp"
#include "proto/base/log.hpp"
#include "proto/base/settings.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom::agent {

/// How closely the devices of a class are watched.
struct ClassTerms {
  std::chrono::milliseconds poll_interval{};
  std::chrono::milliseconds max_silence{};
  PointChoice points = PointChoice::all;
};
using AllClassTerms = std::array<ClassTerms, 3>;  // by ResourceClass

/// One `[[device]]` with its profile. `description.points` and `sources` are in one order; table rows and
/// optional points come to both as they are found (agent/polling/found_points.hpp).
struct ConfiguredDevice {
  DeviceDescription description;
  SharedList<PointSource> sources;
  std::shared_ptr<const Profile> profile;  // shared by all devices of one model
  DeviceAddress address;                   // with the device's secrets
  ClassTerms own_terms;                    // as agent.toml says: of its class there, or its own
  ClassTerms terms;  // at present: a class given from the centre comes with that class's terms
  std::chrono::milliseconds reply_timeout{};
  std::chrono::milliseconds gap{};  // between two requests to it
  int line = 0;                     // in agent.toml
};

/// What is said elsewhere of devices, classes and traps, instead of in agent.toml. Files that it names are
/// looked for beneath agent.toml's folder, and nowhere else.
struct GivenSettings {
  std::string name;  ///< for people: "configuration 17"
  std::string text;  ///< TOML
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
    bool operator==(const Journal&) const = default;
  };

  /// How it watches itself.
  struct Self {
    bool is_enabled = true;
    std::optional<ListenAddress> metrics;
    bool operator==(const Self&) const = default;
  };

  struct SnmpTraps {
    std::vector<std::string> listen;       ///< "127.0.0.1:162", "[::1]:162"; empty: nobody listens
    std::optional<std::string> community;  ///< accepted besides each device's own
    bool operator==(const SnmpTraps&) const = default;
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
  SnmpTraps snmp_traps;
  std::optional<EstAddress> enrolment;  ///< where the certificate is renewed
  /// How long a configuration from the centre may take to prove itself.
  std::chrono::milliseconds configuration_trial{};
  AllClassTerms classes;
  std::vector<ConfiguredDevice> devices;
  JudgeSettings judge;  ///< outputs, and what works them without the centre
  std::shared_ptr<PointLists> point_lists = std::make_shared<PointLists>();

  /// Nothing when anything is wrong in the file or in a profile it names; all of it is in `problems`.
  static std::optional<AgentSettings> load(const std::filesystem::path& file, Problems& problems,
                                           const std::optional<GivenSettings>& given = {});
  static std::optional<AgentSettings> parse(std::string_view text, const std::string& file,
                                            Problems& problems);
  /// agent.toml with every key commented.
  static std::string describe();
};

/// The device with the optional points and rows `found` in it, and those every device of its profile has, as
/// far as its class wants them.
void set_points(ConfiguredDevice& device, const std::vector<FoundPoint>& found, PointLists& lists);
/// Puts the device into another class than agent.toml does, or back. Its points are to be set afterwards.
void put_into_class(ConfiguredDevice& device, ResourceClass resource_class, const AllClassTerms& classes);

}  // namespace watchroom::agent
