// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watchroom::agent {

/// Where the centre certifies agents: "https://centre.example:8444".
struct EstAddress {
  std::string host;
  std::string port;

  static std::optional<EstAddress> parse(std::string_view url);
  bool operator==(const EstAddress&) const = default;
};

}  // namespace watchroom::agent
