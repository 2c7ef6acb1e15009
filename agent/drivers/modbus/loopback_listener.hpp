// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdlib>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace watchroom::agent {

/// For tests: a socket that listens on a free port of loopback, and that port.
inline std::pair<int, int> listen_on_loopback() {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listening, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listening, 4) != 0)
    std::abort();
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  return {listening, ntohs(address.sin_port)};
}

}  // namespace watchroom::agent
