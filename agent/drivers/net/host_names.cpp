// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/host_names.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto asked_again_after = 5min;
// One lookup may block for seconds: while the name server is silent, the other names do not ask it.
constexpr auto spared_for = 10s;

struct Lookup {
  int error = 0;
  std::optional<HostAddress> address = {};
};

Lookup look_up(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) return {error};
  HostAddress address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return {0, address};
}

/// The network card that has an address; empty when none.
std::string card_without_link(const HostAddress& own) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::string name;
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != own.family() || (one->ifa_flags & IFF_RUNNING) != 0)
      continue;
    HostAddress address;
    address.size = own.family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&address.storage, one->ifa_addr, address.size);
    if (address.is_same_host(own)) name = one->ifa_name;
  }
  ::freeifaddrs(all);
  return name;
}

}  // namespace

void HostAddress::set_port(int port) {
  const auto number = htons(static_cast<std::uint16_t>(port));
  if (family() == AF_INET)
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = number;
  else
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = number;
}

std::string HostAddress::text() const {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(get(), size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return text.data();
}

bool HostAddress::is_same_host(const HostAddress& other) const {
  if (family() != other.family()) return false;
  if (family() == AF_INET)
    return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr ==
           reinterpret_cast<const sockaddr_in*>(&other.storage)->sin_addr.s_addr;
  return std::memcmp(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr,
                     &reinterpret_cast<const sockaddr_in6*>(&other.storage)->sin6_addr,
                     sizeof(in6_addr)) == 0;
}

Result<HostAddress> HostNames::find(const std::string& host) {
  if (const auto numeric = look_up(host, AI_NUMERICHOST); numeric.address) return *numeric.address;
  const Steady now = clock_.steady();
  {
    const std::lock_guard lock{mutex_};
    const auto known = known_.find(host);
    const bool is_silent = silent_since_ && now - *silent_since_ < spared_for;
    if (known != known_.end() && (is_silent || now - known->second.found_at < asked_again_after))
      return known->second.address;
    if (is_silent)
      return fail(Errc::not_connected, Retry::later,
                  "{} cannot be looked up: the name server does not answer", host);
  }
  const Lookup lookup = look_up(host, AI_ADDRCONFIG);
  const std::lock_guard lock{mutex_};
  if (lookup.address) {
    silent_since_.reset();
    known_[host] = {*lookup.address, now};
    return *lookup.address;
  }
  if (lookup.error == EAI_AGAIN) silent_since_ = clock_.steady();
  if (const auto known = known_.find(host); known != known_.end()) return known->second.address;
  return fail(Errc::not_connected, Retry::later, "{} has no address: {}", host, ::gai_strerror(lookup.error));
}

std::optional<Error> own_fault(const HostAddress& host) {
  const int socket = ::socket(host.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0)
    return fail(Errc::not_connected, Retry::later, "no socket to ask {}: {}", host.text(),
                std::strerror(errno));
  HostAddress there = host;
  there.set_port(9);  // never sent to: connecting only chooses the route
  HostAddress own;
  own.size = sizeof own.storage;
  const bool has_route = ::connect(socket, there.get(), there.size) == 0;
  const int error = errno;
  const bool is_told =
      has_route && ::getsockname(socket, reinterpret_cast<sockaddr*>(&own.storage), &own.size) == 0;
  ::close(socket);
  if (!has_route)
    return fail(Errc::not_connected, Retry::later, "no way to ask {}: {}", host.text(), std::strerror(error));
  const std::string card = is_told ? card_without_link(own) : std::string{};
  if (card.empty()) return std::nullopt;
  return fail(Errc::not_connected, Retry::later, "no way to ask {}: {} has no link", host.text(), card);
}

}  // namespace watchroom::agent
