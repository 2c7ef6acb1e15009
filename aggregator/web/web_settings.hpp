// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "proto/base/settings.hpp"

namespace watchroom::aggregator {

/// The table `[web]` of aggregator.toml. The last group is not in the file: tests shorten it.
struct WebSettings {
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 8443;  ///< 0: any free one
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
  std::filesystem::path users_file;
  std::chrono::milliseconds session_length{std::chrono::hours{12}};
  std::chrono::milliseconds session_idle{std::chrono::hours{2}};
  std::size_t max_connections = 1000;

  std::chrono::milliseconds event_interval{500};
  std::chrono::milliseconds event_keep_alive{15'000};
  std::chrono::milliseconds request_timeout{15'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds users_check_interval{1'000};
  std::size_t max_event_backlog = 4u << 20;  ///< bytes one client may lag behind before it is dropped

  static WebSettings read(const SettingsTable& table);
};

}  // namespace watchroom::aggregator
