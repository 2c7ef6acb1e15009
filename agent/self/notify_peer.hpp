// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace watchroom::agent {

/// For tests: the manager's end of sd_notify, a real socket, and the environment it would start us with. A
/// name that begins with @ is an abstract one.
class NotifyPeer {
 public:
  explicit NotifyPeer(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0) << std::strerror(errno);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  NotifyPeer(const NotifyPeer&) = delete;
  NotifyPeer& operator=(const NotifyPeer&) = delete;
  ~NotifyPeer() {
    for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(variable);
    ::close(socket_);
  }

  /// The next datagram; "" when none comes within 10 s.
  std::string next() {
    pollfd awaited{socket_, POLLIN, 0};
    if (::poll(&awaited, 1, 10'000) != 1) return "";
    char text[4096];
    const ssize_t size = ::recv(socket_, text, sizeof text, 0);
    return size > 0 ? std::string{text, static_cast<std::size_t>(size)} : "";
  }
  bool is_quiet() {
    pollfd awaited{socket_, POLLIN, 0};
    return ::poll(&awaited, 1, 0) == 0;
  }

 private:
  int socket_ = -1;
};

}  // namespace watchroom::agent
