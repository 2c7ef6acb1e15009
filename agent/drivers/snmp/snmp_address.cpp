// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/snmp_address.hpp"

#include <array>

namespace watchroom::agent {
namespace {

void check_security(const SnmpAddress& address, AddressQuery& query) {
  if (address.version != SnmpVersion::v3) {
    if (!address.user.empty()) query.complain("user", "needs version=3");
    if (address.authentication != SnmpAuthentication::none) query.complain("auth", "needs version=3");
    if (address.privacy != SnmpPrivacy::none) query.complain("priv", "needs version=3");
    return;
  }
  if (address.user.empty()) query.complain("user", "is missing, expected the SNMPv3 user's name");
  if (address.user.size() > 32) query.complain("user", "is longer than 32 bytes (RFC 3414 5)");
  if (address.privacy != SnmpPrivacy::none && address.authentication == SnmpAuthentication::none)
    query.complain("priv", "needs auth (RFC 3411 3.4.3: no privacy without authentication)");
}

DriverPart read_address(std::string_view, std::string_view target, AddressQuery& query) {
  SnmpAddress address;
  address.peer = parse_peer(target, 161, query);
  address.version = query.choice<SnmpVersion>(
      "version",
      {{"1", SnmpVersion::v1}, {"2c", SnmpVersion::v2c}, {"2", SnmpVersion::v2c}, {"3", SnmpVersion::v3}},
      SnmpVersion::v2c);
  using A = SnmpAuthentication;
  address.user = query.text("user").value_or("");
  address.authentication = query.choice<A>("auth",
                                           {{"MD5", A::md5},
                                            {"SHA", A::sha1},
                                            {"SHA-1", A::sha1},
                                            {"SHA-224", A::sha224},
                                            {"SHA-256", A::sha256},
                                            {"SHA-384", A::sha384},
                                            {"SHA-512", A::sha512}},
                                           A::none);
  address.privacy = query.choice<SnmpPrivacy>(
      "priv", {{"DES", SnmpPrivacy::des}, {"AES", SnmpPrivacy::aes}, {"AES-128", SnmpPrivacy::aes}},
      SnmpPrivacy::none);
  check_security(address, query);
  return address;
}

SharedBus bus_of(const DriverPart& where) {
  const auto& peer = where.as<SnmpAddress>().peer;
  return {fmt::format("snmp {}:{}", peer.host, peer.port), {}};
}

bool needs_community(const DriverPart& where) { return where.as<SnmpAddress>().version != SnmpVersion::v3; }

bool needs_authentication_key(const DriverPart& where) {
  const auto& address = where.as<SnmpAddress>();
  return address.version == SnmpVersion::v3 && address.authentication != SnmpAuthentication::none;
}

bool needs_privacy_key(const DriverPart& where) {
  const auto& address = where.as<SnmpAddress>();
  return address.version == SnmpVersion::v3 && address.privacy != SnmpPrivacy::none;
}

constexpr std::array<std::string_view, 1> schemes{"snmp"};
constexpr std::array<SecretKey, 3> secrets{{
    {community_key, "community", "file with the v1/v2c community", "community=NAME, or version=3",
     needs_community},
    {authentication_key, authentication_key, "file with the v3 authentication passphrase",
     "the file with the passphrase", needs_authentication_key},
    {privacy_key, privacy_key, "file with the v3 privacy passphrase", "the file with the passphrase",
     needs_privacy_key},
}};

}  // namespace

const AddressGrammar snmp_addresses{
    .schemes = schemes,
    .read = read_address,
    .bus = bus_of,
    .secrets = secrets,
    .examples = "snmp://HOST:PORT?community=public, snmp://HOST:PORT?version=3&user=NAME&...",
    .ranges = "snmp://10.0.0.1-50?community=public",
};

}  // namespace watchroom::agent
