// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdio>
#include <string>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace watchroom::agent {

/// For tests: what a stock HTTP client (curl) gets, headers and body.
inline std::string ask_with_curl(const std::string& arguments) {
  const std::string command = "curl --silent --include --noproxy '*' --max-time 10 " + arguments;
  FILE* out = ::popen(command.c_str(), "r");
  std::string answer;
  char part[4096];
  for (std::size_t size = 0; (size = std::fread(part, 1, sizeof part, out)) > 0;) answer.append(part, size);
  ::pclose(out);
  return answer;
}

inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

/// For tests: a TCP socket on a free loopback port, listening: the port is taken as long as it lives.
class TakenPort {
 public:
  TakenPort() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  ~TakenPort() { ::close(socket_); }

  int port() const { return port_; }
  static int a_free_one() { return TakenPort{}.port(); }

 private:
  int socket_ = -1;
  int port_ = 0;
};

}  // namespace watchroom::agent
