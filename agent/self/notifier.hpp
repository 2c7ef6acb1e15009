// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Tells systemd how we are (sd_notify(3)): datagrams "KEY=value" to the socket that NOTIFY_SOCKET names.
/// Without that variable every call does nothing. Any thread. Not by libsystemd, which brings its compressors
/// and ciphers into the process for the sake of one sendto.
class Notifier {
 public:
  /// By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Before there are threads.
  static Notifier from_environment();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier();

  void ready() const { send("READY=1"); }
  /// A sentence for `systemctl status`.
  void status(std::string_view sentence) const;
  /// A reload begins at `now`; it ends with `ready`.
  void reloading(Steady now) const;
  void stopping() const { send("STOPPING=1"); }
  void watchdog() const { send("WATCHDOG=1"); }

  bool is_heard() const { return socket_ >= 0; }
  /// Systemd restarts us when `watchdog` was not called for so long; absent: it does not look.
  std::optional<std::chrono::milliseconds> watchdog_timeout() const { return watchdog_timeout_; }

 private:
  Notifier(int socket, std::optional<std::chrono::milliseconds> watchdog_timeout)
      : socket_{socket}, watchdog_timeout_{watchdog_timeout} {}
  void send(std::string_view message) const;

  const int socket_;  // connected; -1: nobody listens
  const std::optional<std::chrono::milliseconds> watchdog_timeout_;
};

}  // namespace watchroom::agent
