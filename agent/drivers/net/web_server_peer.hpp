// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace watchroom::agent {

/// For tests: tests/peers/web_server.py on a free port of the loopback, with TLS when it is given a
/// certificate.
class WebServerPeer {
 public:
  explicit WebServerPeer(const std::string& certificate = "", const std::string& key = "") {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      const char* script = WATCHROOM_SOURCE_DIR "/tests/peers/web_server.py";
      if (certificate.empty())
        ::execl("/usr/bin/python3", "python3", script, nullptr);
      else
        ::execl("/usr/bin/python3", "python3", script, certificate.c_str(), key.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    std::string line;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    EXPECT_FALSE(line.empty()) << "the web server did not start";
    if (!line.empty()) port_ = std::stoi(line);
  }
  WebServerPeer(const WebServerPeer&) = delete;
  WebServerPeer& operator=(const WebServerPeer&) = delete;
  ~WebServerPeer() {
    ::close(stdin_);
    ::waitpid(pid_, nullptr, 0);
  }

  int port() const { return port_; }

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int port_ = 0;
};

}  // namespace watchroom::agent
