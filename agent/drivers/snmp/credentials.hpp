// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <vector>

#include "agent/drivers/snmp/snmp_address.hpp"
#include "proto/base/result.hpp"

struct snmp_session;

namespace watchroom::agent {

/// What a device's secret files hold. To be kept: a key takes a million hashes.
struct SnmpSecrets {
  std::string community;
  std::vector<unsigned char> authentication_key;  ///< of the user, not yet of one engine (RFC 3414 A.2)
  std::vector<unsigned char> privacy_key;
  bool operator==(const SnmpSecrets&) const = default;
};
Result<SnmpSecrets> read_secrets(const DeviceAddress& address);

/// Sets a session's user with its algorithms and keys. `snmp` must outlive its opening.
void fill_user(snmp_session& session, SnmpAddress& snmp, const SnmpSecrets& secrets);
/// net-snmp's number of noAuthNoPriv, authNoPriv, authPriv: the more the safer.
int security_level(const SnmpAddress& snmp);

}  // namespace watchroom::agent
