// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/settings.hpp"
#include "proto/link/key_pair_files.hpp"

namespace watchroom::aggregator {

/// The table `[enrolment]` of aggregator.toml. Without the table there is no certificate authority.
struct EnrolmentSettings {
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 8444;  ///< 0: any free one
  std::vector<std::string> names;    ///< of this machine, as agents call it
  std::chrono::milliseconds certificate_life{};
  std::chrono::milliseconds late_renewal{};
  std::filesystem::path broker_folder;
  std::optional<std::filesystem::path> broker_pid_file;
  std::optional<std::filesystem::path> more_acl_file;
  std::optional<KeyPairFiles> broker_identity;  ///< the broker's own certificate, when it lies here

  static EnrolmentSettings read(const SettingsTable& table);
  /// What is allowed but seldom meant: Chinese first.
  std::vector<std::string> hints() const;
};

}  // namespace watchroom::aggregator
