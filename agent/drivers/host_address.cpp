// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/host_address.hpp"

#include <array>
#include <cstring>

#include <netdb.h>
#include <netinet/in.h>

namespace watchroom::agent {

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

}  // namespace watchroom::agent
