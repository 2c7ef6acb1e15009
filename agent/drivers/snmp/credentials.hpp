// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
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
  auto operator<=>(const SnmpSecrets&) const = default;
};

/// Reads the secret files of devices, each time anew, for they may change; but makes a key of the same
/// passphrase once, and devices with the same secrets share them. Any thread.
class SnmpKeyring {
 public:
  Result<std::shared_ptr<const SnmpSecrets>> secrets_of(const DeviceAddress& address);

 private:
  using Key = std::vector<unsigned char>;
  /// With mutex_ held.
  Result<Key> key_from(const DeviceSecret& passphrase, SnmpAuthentication authentication);

  std::mutex mutex_;
  std::map<std::pair<SnmpAuthentication, std::string>, Key> keys_;  // by algorithm and passphrase
  std::map<SnmpSecrets, std::shared_ptr<const SnmpSecrets>> secrets_;
};

/// Sets a session's user with its algorithms and keys. `snmp` must outlive its opening.
void fill_user(snmp_session& session, const SnmpAddress& snmp, const SnmpSecrets& secrets);
/// Makes net-snmp know this user of this engine with these very keys, in the place of what it had by that
/// name: its list is one for the process, and never looks at keys again by itself. To be called before each
/// message, holding the library's lock. False: the algorithms cannot be had.
bool set_library_user(const std::string& engine_id, const SnmpAddress& snmp, const SnmpSecrets& secrets);
/// Whether it was known.
bool forget_library_user(const std::string& engine_id, const std::string& name);
/// net-snmp's number of noAuthNoPriv, authNoPriv, authPriv: the more the safer.
int security_level(const SnmpAddress& snmp);

}  // namespace watchroom::agent
