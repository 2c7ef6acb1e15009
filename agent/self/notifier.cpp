// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/notifier.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

/// -1 when there is none. A name that begins with @ is an abstract one (sd_notify(3), NOTIFY_SOCKET).
int open_socket(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
    return -1;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const int opened = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (opened < 0) return -1;
  // A manager that does not read must not hold us up for good.
  const timeval longest{1, 0};
  ::setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  if (::connect(opened, reinterpret_cast<const sockaddr*>(&address), size) == 0) return opened;
  ::close(opened);
  return -1;
}

std::optional<std::int64_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, number);
  return error == std::errc{} && rest == end ? std::optional{number} : std::nullopt;
}

std::optional<std::chrono::milliseconds> asked_timeout() {
  using namespace std::chrono;
  const auto timeout_us = number_in("WATCHDOG_USEC");
  if (!timeout_us || *timeout_us < 1000) return std::nullopt;
  // It may be meant for a process that started us (sd_watchdog_enabled(3)).
  if (const auto meant = number_in("WATCHDOG_PID"); meant && *meant != ::getpid()) return std::nullopt;
  return duration_cast<milliseconds>(microseconds{*timeout_us});
}

}  // namespace

Notifier Notifier::from_environment() {
  const char* name = std::getenv("NOTIFY_SOCKET");
  const int socket = name ? open_socket(name) : -1;
  return {socket, socket >= 0 ? asked_timeout() : std::nullopt};
}

Notifier::~Notifier() {
  if (socket_ >= 0) ::close(socket_);
}

void Notifier::status(std::string_view sentence) const { send(fmt::format("STATUS={}", sentence)); }

void Notifier::reloading(Steady now) const {
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   std::chrono::microseconds{now.time_since_epoch()}.count()));
}

void Notifier::send(std::string_view message) const {
  // What is not taken is said again sooner or later, and a manager that is gone is nobody to complain to.
  if (socket_ >= 0) static_cast<void>(::send(socket_, message.data(), message.size(), MSG_NOSIGNAL));
}

}  // namespace watchroom::agent
