// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/journal/scratch_folder.hpp"
#include "proto/link/mqtt_session.hpp"
#include "proto/link/test_certificates.hpp"

namespace watchroom::agent {

/// Polls `condition` until it holds or `patience` is over; returns whether it held.
template <typename Condition>
bool wait_until(Condition condition, std::chrono::seconds patience = std::chrono::seconds{20}) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

/// For tests: the real mosquitto with TLS and client certificates on a free loopback port, with a throw-away
/// CA. It keeps its port over `kill` and `start`.
class TestBroker {
 public:
  TestBroker() : port_{free_port()} {
    certificates_.make("broker", "-addext subjectAltName=IP:127.0.0.1");
    std::ofstream{folder_.path() / "mosquitto.conf"}
        // Started by root, mosquitto becomes another user, who cannot read this folder.
        << (::geteuid() == 0 ? "user root\n" : "") << "listener " << port_ << " 127.0.0.1\n"
        << "cafile " << file("ca.pem") << "\ncertfile " << file("broker.pem") << "\nkeyfile "
        << file("broker.key")
        << "\ntls_version tlsv1.2\nrequire_certificate true\nuse_identity_as_username true\n"
           "allow_anonymous false\npersistence false\nlog_dest none\n";
    start();
  }
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;
  ~TestBroker() { kill(); }

  void start() {
    const std::string settings = file("mosquitto.conf");
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves no broker behind
      ::execl("/usr/sbin/mosquitto", "mosquitto", "-c", settings.c_str(), nullptr);
      ::_exit(127);
    }
    ASSERT_TRUE(wait_until([this] { return accepts(); })) << "mosquitto does not listen";
  }
  /// SIGKILL.
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  BrokerSettings settings_for(const std::string& common_name) {
    certificates_.make(common_name, "-addext extendedKeyUsage=clientAuth");
    BrokerSettings settings;
    settings.host = "127.0.0.1";
    settings.port = port_;
    settings.ca_file = file("ca.pem");
    settings.certificate_file = file(common_name + ".pem");
    settings.key_file = file(common_name + ".key");
    settings.reconnect_min = std::chrono::milliseconds{50};
    settings.reconnect_max = std::chrono::milliseconds{200};
    return settings;
  }
  std::string file(const std::string& name) const { return certificates_.file(name); }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  /// Below the ephemeral range: there a client that reconnects can be given the very port it wants to reach.
  static int free_port() {
    std::random_device chance;
    std::uniform_int_distribution<int> ports{20'000, 31'999};
    for (int tries = 0; tries < 200; ++tries) {
      const int port = ports(chance);
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = loopback(port);
      const bool is_free = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      ::close(socket);
      if (is_free) return port;
    }
    std::abort();
  }
  bool accepts() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(port_);
    const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return connected;
  }

  ScratchFolder folder_;
  TestCertificates certificates_{folder_.path()};
  const int port_;
  pid_t process_ = -1;
};

}  // namespace watchroom::agent
