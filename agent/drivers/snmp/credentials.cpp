// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/credentials.hpp"

#include <algorithm>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

namespace watchroom::agent {
namespace {

struct Protocol {
  oid* id = nullptr;
  std::size_t length = 0;
};

Protocol protocol_of(SnmpAuthentication authentication) {
  switch (authentication) {
    case SnmpAuthentication::md5: return {usmHMACMD5AuthProtocol, OID_LENGTH(usmHMACMD5AuthProtocol)};
    case SnmpAuthentication::sha1: return {usmHMACSHA1AuthProtocol, OID_LENGTH(usmHMACSHA1AuthProtocol)};
    case SnmpAuthentication::sha224:
      return {usmHMAC128SHA224AuthProtocol, OID_LENGTH(usmHMAC128SHA224AuthProtocol)};
    case SnmpAuthentication::sha256:
      return {usmHMAC192SHA256AuthProtocol, OID_LENGTH(usmHMAC192SHA256AuthProtocol)};
    case SnmpAuthentication::sha384:
      return {usmHMAC256SHA384AuthProtocol, OID_LENGTH(usmHMAC256SHA384AuthProtocol)};
    case SnmpAuthentication::sha512:
      return {usmHMAC384SHA512AuthProtocol, OID_LENGTH(usmHMAC384SHA512AuthProtocol)};
    case SnmpAuthentication::none: break;
  }
  return {usmNoAuthProtocol, OID_LENGTH(usmNoAuthProtocol)};
}

Protocol protocol_of(SnmpPrivacy privacy) {
  switch (privacy) {
    case SnmpPrivacy::des: return {usmDESPrivProtocol, OID_LENGTH(usmDESPrivProtocol)};
    case SnmpPrivacy::aes: return {usmAESPrivProtocol, OID_LENGTH(usmAESPrivProtocol)};
    case SnmpPrivacy::none: break;
  }
  return {usmNoPrivProtocol, OID_LENGTH(usmNoPrivProtocol)};
}

void fill_key(const std::vector<unsigned char>& key, u_char* place, std::size_t& length) {
  std::copy(key.begin(), key.end(), place);
  length = key.size();
}

}  // namespace

/// A passphrase as a key (RFC 3414 A.2); the authentication algorithm makes both keys.
Result<SnmpKeyring::Key> SnmpKeyring::key_from(const DeviceSecret& passphrase,
                                               SnmpAuthentication authentication) {
  auto secret = passphrase.read();
  if (!secret) return secret.error();
  const auto known = keys_.find({authentication, *secret});
  if (known != keys_.end()) return known->second;
  const Protocol protocol = protocol_of(authentication);
  Key key(std::max(USM_AUTH_KU_LEN, USM_PRIV_KU_LEN));
  std::size_t length = key.size();
  if (generate_Ku(protocol.id, static_cast<u_int>(protocol.length),
                  reinterpret_cast<const u_char*>(secret->data()), secret->size(), key.data(),
                  &length) != SNMPERR_SUCCESS)
    return fail(Errc::invalid, Retry::never, "{}: an SNMPv3 passphrase has at least {} characters",
                passphrase.file.string(), USM_LENGTH_P_MIN);
  key.resize(length);
  keys_.emplace(std::pair{authentication, *std::move(secret)}, key);
  return key;
}

Result<std::shared_ptr<const SnmpSecrets>> SnmpKeyring::secrets_of(const DeviceAddress& address) {
  const auto& snmp = address.where.as<SnmpAddress>();
  SnmpSecrets secrets;
  const std::lock_guard lock{mutex_};
  if (const DeviceSecret* community = address.secret(community_key)) {
    auto secret = community->read();
    if (!secret) return secret.error();
    secrets.community = *std::move(secret);
  }
  if (snmp.authentication != SnmpAuthentication::none) {
    auto key = key_from(*address.secret(authentication_key), snmp.authentication);
    if (!key) return key.error();
    secrets.authentication_key = *std::move(key);
  }
  if (snmp.privacy != SnmpPrivacy::none) {
    auto key = key_from(*address.secret(privacy_key), snmp.authentication);
    if (!key) return key.error();
    secrets.privacy_key = *std::move(key);
  }
  auto& shared = secrets_[secrets];
  if (!shared) shared = std::make_shared<const SnmpSecrets>(std::move(secrets));
  return shared;
}

int security_level(const SnmpAddress& snmp) {
  if (snmp.authentication == SnmpAuthentication::none) return SNMP_SEC_LEVEL_NOAUTH;
  return snmp.privacy == SnmpPrivacy::none ? SNMP_SEC_LEVEL_AUTHNOPRIV : SNMP_SEC_LEVEL_AUTHPRIV;
}

void fill_user(netsnmp_session& session, const SnmpAddress& snmp, const SnmpSecrets& secrets) {
  session.securityName = const_cast<char*>(snmp.user.c_str());  // net-snmp only copies it
  session.securityNameLen = snmp.user.size();
  session.securityModel = SNMP_SEC_MODEL_USM;
  session.securityLevel = security_level(snmp);
  const Protocol authentication = protocol_of(snmp.authentication);
  session.securityAuthProto = authentication.id;
  session.securityAuthProtoLen = authentication.length;
  const Protocol privacy = protocol_of(snmp.privacy);
  session.securityPrivProto = privacy.id;
  session.securityPrivProtoLen = privacy.length;
  fill_key(secrets.authentication_key, session.securityAuthKey, session.securityAuthKeyLen);
  fill_key(secrets.privacy_key, session.securityPrivKey, session.securityPrivKeyLen);
}

bool forget_library_user(const std::string& engine_id, const std::string& name) {
  usmUser* user =
      usm_get_user(reinterpret_cast<const u_char*>(engine_id.data()), engine_id.size(), name.c_str());
  if (!user) return false;
  usm_remove_user(user);
  usm_free_user(user);
  return true;
}

bool set_library_user(const std::string& engine_id, const SnmpAddress& snmp, const SnmpSecrets& secrets) {
  forget_library_user(engine_id, snmp.user);
  std::string engine = engine_id;
  netsnmp_session session;
  snmp_sess_init(&session);
  session.version = SNMP_VERSION_3;
  fill_user(session, snmp, secrets);
  session.securityEngineID = reinterpret_cast<u_char*>(engine.data());
  session.securityEngineIDLen = engine.size();
  return usm_create_user_from_session(&session) == SNMPERR_SUCCESS;
}

}  // namespace watchroom::agent
