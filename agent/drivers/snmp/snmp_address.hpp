// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "agent/drivers/device_address.hpp"

namespace watchroom::agent {

enum class SnmpVersion { v1, v2c, v3 };
enum class SnmpAuthentication { none, md5, sha1, sha224, sha256, sha384, sha512 };
enum class SnmpPrivacy { none, des, aes };

struct SnmpAddress {
  TcpPeer peer;
  SnmpVersion version = SnmpVersion::v2c;
  std::string user;
  SnmpAuthentication authentication = SnmpAuthentication::none;
  SnmpPrivacy privacy = SnmpPrivacy::none;
};

extern const AddressGrammar snmp_addresses;

/// The keys of its secrets: v1/v2c community, v3 passphrases.
constexpr std::string_view community_key = "community_file", authentication_key = "auth_key_file",
                           privacy_key = "priv_key_file";

}  // namespace watchroom::agent
