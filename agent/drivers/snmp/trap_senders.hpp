// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "agent/drivers/host_names.hpp"
#include "agent/drivers/snmp/credentials.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// An IPv6 address, or an IPv4 one as IPv6 writes it.
using IpAddress = std::array<std::uint8_t, 16>;
std::optional<IpAddress> ip_address_of(const sockaddr& address);
/// Only numeric ones.
std::optional<IpAddress> parse_ip_address(const std::string& text);
std::string ip_text(const IpAddress& address);

/// Who may send us traps: the configured SNMP devices, found by their address. `devices` and
/// `names` must outlive it.
class TrapSenders {
 public:
  /// `community` is accepted besides each device's own.
  TrapSenders(const std::vector<ConfiguredDevice>& devices, HostNames& names,
              std::optional<std::string> community, Log log);

  /// Devices at an address; there may be several, told apart by port, profile or user.
  std::vector<std::size_t> at(const IpAddress& address) const;
  /// The v3 devices at an address with that user, or, where the address is nobody's, the only one with it.
  std::vector<std::size_t> with_user(const IpAddress& address, const std::string& user) const;
  bool accepts_community(std::size_t device, const std::string& community);
  /// Read from their files the first time; null: they cannot be, which is told once.
  const SnmpSecrets* secrets_of(std::size_t device);

  const ConfiguredDevice& device(std::size_t index) const { return devices_[index]; }
  const SnmpAddress& address_of(std::size_t index) const {
    return devices_[index].address.where.as<SnmpAddress>();
  }
  /// Takes over where the names of devices lead by now. Waits for nobody; call it often.
  void refresh_names();

 private:
  using Places = std::vector<std::pair<IpAddress, std::size_t>>;  // sorted

  const std::vector<ConfiguredDevice>& devices_;
  std::optional<std::string> community_;
  Log log_;
  Places numeric_;
  std::vector<std::size_t> named_;
  HostNames& names_;
  std::optional<std::uint64_t> names_of_;  // HostNames::changes when they were looked up
  Places looked_up_;
  SnmpKeyring keyring_;
  std::map<std::size_t, std::shared_ptr<const SnmpSecrets>> secrets_;
};

}  // namespace watchroom::agent
