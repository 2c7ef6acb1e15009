// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_senders.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "agent/drivers/snmp/snmp.hpp"

namespace watchroom::agent {
namespace {

IpAddress mapped(const in_addr& v4) {
  IpAddress address{};
  address[10] = address[11] = 0xff;  // RFC 4291 2.5.5.2
  std::memcpy(address.data() + 12, &v4, 4);
  return address;
}

bool is_snmp(const ConfiguredDevice& device) { return device.address.type == &snmp; }

template <typename Places>
void add_at(const Places& places, const IpAddress& address, std::vector<std::size_t>& found) {
  auto place = std::lower_bound(places.begin(), places.end(), std::pair{address, std::size_t{0}});
  for (; place != places.end() && place->first == address; ++place) found.push_back(place->second);
}

}  // namespace

std::optional<IpAddress> ip_address_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) return mapped(reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family != AF_INET6) return std::nullopt;
  IpAddress v6{};
  std::memcpy(v6.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, v6.size());
  return v6;
}

std::optional<IpAddress> parse_ip_address(const std::string& text) {
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return mapped(v4);
  IpAddress v6{};
  if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

std::string ip_text(const IpAddress& address) {
  static constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (std::equal(v4_prefix.begin(), v4_prefix.end(), address.begin()))
    ::inet_ntop(AF_INET, address.data() + v4_prefix.size(), text.data(), text.size());
  else
    ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  return text.data();
}

TrapSenders::TrapSenders(const std::vector<ConfiguredDevice>& devices, HostNames& names,
                         std::optional<std::string> community, Log log)
    : devices_{devices}, community_{std::move(community)}, log_{std::move(log)}, names_{names} {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (!is_snmp(devices[i])) continue;
    if (const auto address = parse_ip_address(address_of(i).peer.host))
      numeric_.emplace_back(*address, i);
    else
      named_.push_back(i);
  }
  std::sort(numeric_.begin(), numeric_.end());
  refresh_names();
}

std::vector<std::size_t> TrapSenders::at(const IpAddress& address) const {
  std::vector<std::size_t> found;
  add_at(numeric_, address, found);
  add_at(looked_up_, address, found);
  return found;
}

std::vector<std::size_t> TrapSenders::with_user(const IpAddress& address, const std::string& user) const {
  const auto is_user = [&](std::size_t device) {
    return address_of(device).version == SnmpVersion::v3 && address_of(device).user == user;
  };
  std::vector<std::size_t> found = at(address);
  const bool is_known = !found.empty();
  std::erase_if(found, [&](std::size_t device) { return !is_user(device); });
  if (is_known) return found;
  // Behind a translated address: the keys prove who it is, if only one device can have them.
  for (std::size_t i = 0; i < devices_.size() && found.size() < 2; ++i)
    if (is_snmp(devices_[i]) && is_user(i) && security_level(address_of(i)) > 1) found.push_back(i);
  if (found.size() != 1) found.clear();
  return found;
}

bool TrapSenders::accepts_community(std::size_t device, const std::string& community) {
  if (community_ && community == *community_) return true;
  if (address_of(device).version == SnmpVersion::v3) return false;
  const SnmpSecrets* secrets = secrets_of(device);
  return secrets && secrets->community == community;
}

const SnmpSecrets* TrapSenders::secrets_of(std::size_t device) {
  const auto [place, is_new] = secrets_.try_emplace(device);
  if (is_new) {
    if (auto read = keyring_.secrets_of(devices_[device].address))
      place->second = *std::move(read);
    else
      log_.error("{}: its traps cannot be told from anybody's: {}", devices_[device].description.id,
                 read.error().text);
  }
  return place->second.get();
}

void TrapSenders::refresh_names() {
  const std::uint64_t changes = names_.changes();
  if (names_of_ == changes) return;
  names_of_ = changes;
  looked_up_.clear();
  for (const std::size_t device : named_)
    if (const auto hosts = names_.find(address_of(device).peer.host, {}, {}))
      for (const HostAddress& host : *hosts)
        if (const auto address = ip_address_of(*host.get())) looked_up_.emplace_back(*address, device);
  std::sort(looked_up_.begin(), looked_up_.end());
}

}  // namespace watchroom::agent
