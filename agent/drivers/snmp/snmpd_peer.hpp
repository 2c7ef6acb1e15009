// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// For tests: net-snmp's own daemon on a free loopback port, in a folder of its own.
#pragma once

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
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
    const std::string settings = folder_ / "snmpd.conf", log = folder_ / "snmpd.log",
                      state = folder_ / "state";
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setenv("SNMP_PERSISTENT_DIR", state.c_str(), 1);
    ::setenv("MIBS", "", 1);
    for (int descriptor = 3; descriptor < 256; ++descriptor) ::close(descriptor);
    ::execl("/usr/sbin/snmpd", "snmpd", "-f", "-C", "-c", settings.c_str(), "-Lf", log.c_str(), "-I", "-smux",
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
  }

 private:
  static int free_port() {
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(socket);
    return ntohs(address.sin_port);
  }

  int port_;
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

}  // namespace watchroom::agent
