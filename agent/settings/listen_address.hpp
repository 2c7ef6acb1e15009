// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watchroom::agent {

/// Where to listen. An IP address, not a name: what is listened on must not depend on DNS.
struct ListenAddress {
  std::string host;  ///< "127.0.0.1", "::1"
  int port = 0;

  /// "127.0.0.1:9464", "[::1]:9464".
  static std::optional<ListenAddress> parse(std::string_view text);
  bool is_loopback() const;
  std::string str() const;
  bool operator==(const ListenAddress&) const = default;
};

}  // namespace watchroom::agent
