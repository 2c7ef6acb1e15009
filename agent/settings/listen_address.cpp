// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/settings/listen_address.hpp"

#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace watchroom::agent {

std::optional<ListenAddress> ListenAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  ListenAddress address{.host = std::string{text.substr(0, colon)}, .port = 0};
  const auto port = text.substr(colon + 1);
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || rest != port.data() + port.size()) return std::nullopt;
  if (address.port < 1 || address.port > 65535) return std::nullopt;
  const bool is_bracketed =
      address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']';
  if (is_bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  in6_addr parsed{};
  if (::inet_pton(is_bracketed ? AF_INET6 : AF_INET, address.host.c_str(), &parsed) != 1) return std::nullopt;
  return address;
}

bool ListenAddress::is_loopback() const {
  in6_addr parsed{};
  if (::inet_pton(AF_INET, host.c_str(), &parsed) == 1) return parsed.s6_addr[0] == 127;
  return ::inet_pton(AF_INET6, host.c_str(), &parsed) == 1 && IN6_IS_ADDR_LOOPBACK(&parsed);
}

std::string ListenAddress::str() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

}  // namespace watchroom::agent
