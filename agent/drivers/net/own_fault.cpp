// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/own_fault.hpp"

#include <cerrno>
#include <cstring>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

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
