// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <sys/socket.h>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

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

/// Finds hosts by name and remembers them, so that a name server that is silent takes none away. Asked by
/// several threads; `clock` must outlive it.
class HostNames {
 public:
  explicit HostNames(const Clock& clock) : clock_{clock} {}

  Result<HostAddress> find(const std::string& host);

 private:
  struct Known {
    HostAddress address;
    Steady found_at{};
  };
  const Clock& clock_;
  std::mutex mutex_;  // of the two below
  std::map<std::string, Known> known_;
  std::optional<Steady> silent_since_;  // the name server
};

/// Why nobody there can be asked at all: no route, a network card without a link. Nothing: it is not our
/// fault.
std::optional<Error> own_fault(const HostAddress& host);

}  // namespace watchroom::agent
