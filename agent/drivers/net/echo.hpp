// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <span>
#include <stop_token>

#include "agent/drivers/host_address.hpp"
#include "agent/drivers/net/finding.hpp"

namespace watchroom::agent {

struct EchoTarget {
  HostAddress address;
  int echoes = 3;
  std::chrono::milliseconds timeout{1000};  ///< for each
};

/// What an ICMP error says of the host it was for.
struct IcmpVerdict {
  bool is_path_at_fault = false;  ///< the host could not be asked; else it is not there
  std::string_view text;
};
IcmpVerdict verdict_of(int family, int type, int code);

/// The sockets for ICMP echoes, IPv4 and IPv6: unprivileged where the kernel allows it to our group, else
/// raw. Any number of hosts share them. One thread at a time.
class EchoSockets {
 public:
  EchoSockets() = default;
  EchoSockets(const EchoSockets&) = delete;
  EchoSockets& operator=(const EchoSockets&) = delete;
  ~EchoSockets();

  /// Asks all at once, each with its echoes one after the other; ends with the last time-out.
  void ask(std::span<const EchoTarget> targets, const std::stop_token& stop, const Found& found);

 private:
  friend class EchoRound;
  struct Socket {
    int descriptor = -1;
    bool is_raw = false;
  };
  Result<Socket> open(int family);

  Socket v4_, v6_;
  int next_sequence_ = 1;
};

}  // namespace watchroom::agent
