// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/net_address.hpp"

#include <array>
#include <charconv>

namespace watchroom::agent {
namespace {

constexpr std::array<std::string_view, 4> schemes{"icmp", "tcp", "http", "https"};

void read_statuses(NetAddress& address, AddressQuery& query) {
  const std::string written = query.text("status").value_or("");
  for (std::string_view rest = written; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    int status = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + comma, status);
    if (error != std::errc{} || end != rest.data() + comma || status < 100 || status > 599) {
      query.complain("status", fmt::format("\"{}\" is not valid, expected codes such as 200,401", written));
      return;
    }
    address.statuses.push_back(status);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
}

void read_web(NetAddress& address, AddressQuery& query) {
  read_statuses(address, query);
  address.text = query.text("text").value_or("");
  address.redirects = query.integer("redirects", 0, 0, 10, "0 to 10");
  if (address.scheme != NetScheme::https) return;
  address.is_verified = query.choice<bool>("verify", {{"yes", true}, {"no", false}}, true);
  address.ca_file = query.text("ca_file").value_or("");
  if (!address.ca_file.empty() && !address.ca_file.starts_with('/'))
    query.complain("ca_file", fmt::format("\"{}\" is not valid, expected a path from /", address.ca_file));
  if (!address.ca_file.empty() && !address.is_verified)
    query.complain("ca_file", "does not go with verify=no");
}

DriverPart read_address(std::string_view scheme, std::string_view target, AddressQuery& query) {
  NetAddress address;
  address.scheme = scheme == "icmp"   ? NetScheme::icmp
                   : scheme == "tcp"  ? NetScheme::tcp
                   : scheme == "http" ? NetScheme::http
                                      : NetScheme::https;
  const auto path = std::min(target.find_first_of("/?"), target.size());
  const auto host = target.substr(0, path);
  address.target = target.substr(path);
  if (host.find('@') != std::string_view::npos) query.complain("host", "holds a user, expected host:port");
  switch (address.scheme) {
    case NetScheme::icmp:
      address.peer = parse_peer(host, 1, query);
      if (address.peer.port != 1) query.complain("port", "does not belong into an icmp address");
      address.peer.port = 0;
      address.echoes = query.integer("echoes", 3, 1, 10, "1 to 10");
      break;
    case NetScheme::tcp: address.peer = parse_peer(host, 0, query); break;
    case NetScheme::http: address.peer = parse_peer(host, 80, query); break;
    case NetScheme::https: address.peer = parse_peer(host, 443, query); break;
  }
  const bool is_web = address.scheme == NetScheme::http || address.scheme == NetScheme::https;
  if (is_web)
    read_web(address, query);
  else if (!address.target.empty())
    query.complain("path", fmt::format("\"{}\" does not belong into this address", address.target));
  return address;
}

SharedBus bus_of(const DriverPart& where) {
  const auto& address = where.as<NetAddress>();
  return {fmt::format("{} {}:{}", name_of(address.scheme), address.peer.host, address.peer.port), {}};
}

}  // namespace

std::string_view name_of(NetScheme scheme) { return schemes[static_cast<std::size_t>(scheme)]; }

std::string NetAddress::url() const {
  const bool is_v6 = peer.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}{}", name_of(scheme), is_v6 ? "[" : "", peer.host, is_v6 ? "]" : "",
                     peer.port, target);
}

constinit const AddressGrammar net_addresses{
    .schemes = schemes,
    .query_mark = '#',
    .read = read_address,
    .bus = bus_of,
    .examples =
        "icmp://HOST#echoes=3, tcp://HOST:PORT, "
        "https://HOST:PORT/PATH#status=200&text=OK&verify=no",
    .ranges = "icmp://10.0.0.0/24, tcp://10.0.0.1-50:22",
};

}  // namespace watchroom::agent
