// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>

#include <sys/socket.h>

namespace watchroom::agent {

/// An IPv4 or IPv6 address, with a port where one is needed.
struct HostAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  void set_port(int port);
  /// "10.0.0.9", "fe80::1".
  std::string text() const;
  /// Whether both are one host, whatever the port.
  bool is_same_host(const HostAddress& other) const;
};

}  // namespace watchroom::agent
