// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// For tests: net-snmp's own daemon on a free loopback port, in a folder of its own.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace watchroom::agent {

class SnmpdPeer {
 public:
  /// `objects`: lines such as "1.3.6.1.2.1.33.1.2.1.0 integer 2"; `users`: lines of snmpd.conf.
  SnmpdPeer(const std::vector<std::string>& objects, const std::vector<std::string>& users)
      : port_{free_port()} {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-snmpd-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) std::abort();
    folder_ = pattern;
    std::ofstream settings{folder_ / "snmpd.conf"};
    settings << "agentaddress udp:127.0.0.1:" << port_ << "\nrocommunity watch 127.0.0.1\n"
             << "sysObjectID .1.3.6.1.4.1.99999.1\n";
    for (const std::string& object : objects) settings << "override ." << object << "\n";
    for (const std::string& line : users) settings << line << "\n";
    settings.close();
    start();
  }
  SnmpdPeer(const SnmpdPeer&) = delete;
  SnmpdPeer& operator=(const SnmpdPeer&) = delete;
  ~SnmpdPeer() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  int port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path secret(const std::string& name, const std::string& text) const {
    auto file = folder_ / name;
    std::ofstream{file} << text << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    return file;
  }

  void start() {
    const std::string log = folder_ / "snmpd.log", state = folder_ / "state";
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves no daemon behind
    // Not -C with -c: it would forget engine id and boots over a restart, which no device does.
    ::setenv("SNMPCONFPATH", (folder_.string() + ":" + state).c_str(), 1);
    ::setenv("SNMP_PERSISTENT_DIR", state.c_str(), 1);
    ::setenv("MIBS", "", 1);
    for (int descriptor = 3; descriptor < 256; ++descriptor) ::close(descriptor);
    ::execl("/usr/sbin/snmpd", "snmpd", "-f", "-Lf", log.c_str(), "-I", "-smux", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  /// As a device whose network is gone: what is sent to it is neither answered nor refused.
  void freeze() { ::kill(pid_, SIGSTOP); }
  void thaw() { ::kill(pid_, SIGCONT); }
  void stop() {
    if (pid_ <= 0) return;
    thaw();
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
  }

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
      const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = loopback(port);
      const bool is_free = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      ::close(socket);
      if (is_free) return port;
    }
    std::abort();
  }

  int port_;
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

}  // namespace watchroom::agent
