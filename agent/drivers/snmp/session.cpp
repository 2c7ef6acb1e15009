// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "agent/drivers/snmp/library.hpp"

namespace watchroom::agent {
namespace {

using std::chrono::milliseconds;

ObjectValue value_of(const netsnmp_variable_list& variable) {
  switch (variable.type) {
    case ASN_INTEGER: return std::int64_t{*variable.val.integer};
    case ASN_COUNTER:
    case ASN_GAUGE:
    case ASN_TIMETICKS:
    case ASN_UINTEGER: return std::int64_t{static_cast<std::uint32_t>(*variable.val.integer)};
    case ASN_COUNTER64: {
      const std::uint64_t high = variable.val.counter64->high & 0xffffffff;
      return static_cast<std::int64_t>(high << 32 | (variable.val.counter64->low & 0xffffffff));
    }
    case ASN_OPAQUE_FLOAT: return double{*variable.val.floatVal};
    case ASN_OPAQUE_DOUBLE: return *variable.val.doubleVal;
    case ASN_OCTET_STR:
      return readable_text({reinterpret_cast<const char*>(variable.val.string), variable.val_len});
    case ASN_IPADDRESS:
      if (variable.val_len != 4) return NothingThere{};
      return fmt::format("{}.{}.{}.{}", variable.val.string[0], variable.val.string[1],
                         variable.val.string[2], variable.val.string[3]);
    case ASN_OBJECT_ID: {
      Oid named;
      for (std::size_t i = 0; i < variable.val_len / sizeof(oid); ++i)
        named.push_back(static_cast<std::uint32_t>(variable.val.objid[i]));
      return oid_text(named);
    }
    default: return NothingThere{};
  }
}

SnmpReply reply_of(const netsnmp_pdu& pdu) {
  SnmpReply reply{static_cast<int>(pdu.errstat), static_cast<int>(pdu.errindex), {}};
  for (const netsnmp_variable_list* variable = pdu.variables; variable; variable = variable->next_variable) {
    Oid named;
    for (std::size_t i = 0; i < variable->name_length; ++i)
      named.push_back(static_cast<std::uint32_t>(variable->name[i]));
    reply.varbinds.push_back({std::move(named), value_of(*variable)});
  }
  return reply;
}

/// What an SNMPv3 agent complains of (RFC 3414 3.2, usmStats counters).
Error security_error(int report, const SnmpAddress& address) {
  const auto refused = [](std::string text) {
    return Error{Errc::not_authorized, Retry::later, std::move(text)};
  };
  switch (report) {
    case SNMPERR_UNKNOWN_USER_NAME:
    case SNMPERR_USM_UNKNOWNSECURITYNAME:
      return refused(
          fmt::format("not authorized: the device does not know the SNMPv3 user \"{}\"", address.user));
    case SNMPERR_AUTHENTICATION_FAILURE:
    case SNMPERR_USM_AUTHENTICATIONFAILURE:
      return refused(
          fmt::format("not authorized: wrong authentication passphrase or algorithm for the user "
                      "\"{}\"",
                      address.user));
    case SNMPERR_NOT_IN_TIME_WINDOW:
    case SNMPERR_USM_NOTINTIMEWINDOW:
      return refused("not authorized: the device's SNMPv3 clock is out of step (not in time window)");
    case SNMPERR_UNSUPPORTED_SEC_LEVEL:
    case SNMPERR_USM_UNSUPPORTEDSECURITYLEVEL:
      return refused(
          fmt::format("not authorized: the device does not allow the user \"{}\" this combination "
                      "of auth and priv",
                      address.user));
    case SNMPERR_DECRYPTION_ERR:
    case SNMPERR_USM_DECRYPTIONERROR:
      return refused(fmt::format("not authorized: wrong privacy passphrase or algorithm for the user \"{}\"",
                                 address.user));
    case SNMPERR_UNKNOWN_ENG_ID:
    case SNMPERR_USM_UNKNOWNENGINEID:
      return Error{Errc::not_connected, Retry::now, "another device answers at this address now"};
    default: return refused(fmt::format("not authorized: {}", snmp_api_errstring(report)));
  }
}

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

/// A passphrase as a key (RFC 3414 A.2); the authentication algorithm makes both keys.
Result<std::vector<unsigned char>> key_from(const DeviceSecret& passphrase, const Protocol& authentication) {
  const auto secret = passphrase.read();
  if (!secret) return secret.error();
  std::vector<unsigned char> key(std::max(USM_AUTH_KU_LEN, USM_PRIV_KU_LEN));
  std::size_t length = key.size();
  if (generate_Ku(authentication.id, static_cast<u_int>(authentication.length),
                  reinterpret_cast<const u_char*>(secret->data()), secret->size(), key.data(),
                  &length) != SNMPERR_SUCCESS)
    return fail(Errc::invalid, Retry::never, "{}: an SNMPv3 passphrase has at least {} characters",
                passphrase.file.string(), USM_LENGTH_P_MIN);
  key.resize(length);
  return key;
}

void fill_key(const std::vector<unsigned char>& key, u_char* place, std::size_t& length) {
  std::copy(key.begin(), key.end(), place);
  length = key.size();
}

void fill_security(netsnmp_session& session, const SnmpAddress& snmp) {
  session.securityModel = SNMP_SEC_MODEL_USM;
  session.securityLevel = snmp.authentication == SnmpAuthentication::none ? SNMP_SEC_LEVEL_NOAUTH
                          : snmp.privacy == SnmpPrivacy::none             ? SNMP_SEC_LEVEL_AUTHNOPRIV
                                                                          : SNMP_SEC_LEVEL_AUTHPRIV;
  const Protocol authentication = protocol_of(snmp.authentication);
  session.securityAuthProto = authentication.id;
  session.securityAuthProtoLen = authentication.length;
  const Protocol privacy = protocol_of(snmp.privacy);
  session.securityPrivProto = privacy.id;
  session.securityPrivProtoLen = privacy.length;
}

/// Names are looked up here, for the library would do it while it holds our lock.
Result<std::string> numeric_address(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    return fail(Errc::not_connected, Retry::later, "{} has no address: {}", host, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return std::string{text.data()};
}

/// The engine id is asked for by a user without a name (RFC 3414 4); the library must know that one.
void add_nameless_user() {
  if (usm_get_user(nullptr, 0, "")) return;
  usmUser* user = usm_create_user();
  if (!user) return;
  user->name = strdup("");
  user->secName = strdup("");
  usm_add_user(user);
}

netsnmp_pdu* discovery_request() {
  add_nameless_user();
  netsnmp_pdu* pdu = snmp_pdu_create(SNMP_MSG_GET);
  pdu->version = SNMP_VERSION_3;
  pdu->securityName = strdup("");
  pdu->securityNameLen = 0;
  pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  pdu->securityModel = SNMP_SEC_MODEL_USM;
  return pdu;
}

}  // namespace

/// Where the library's callback leaves what it brought.
struct SnmpSession::Exchange {
  bool is_over = false;
  int failed_with = 0;  // an error of net-snmp
  int report = 0;       // what an SNMPv3 agent complained of
  bool timed_out = false;
  std::optional<SnmpReply> reply;

  static int arrived(int operation, netsnmp_session* session, int, netsnmp_pdu* pdu, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    if (operation == NETSNMP_CALLBACK_OP_RESEND || operation == NETSNMP_CALLBACK_OP_CONNECT) return 1;
    const bool is_report =
        operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu && pdu->command == SNMP_MSG_REPORT;
    if (is_report) exchange.report = snmpv3_get_report_type(pdu);
    // The report brought the device's time; the library now asks once more with it, or says SEC_ERROR.
    if (is_report && exchange.report == SNMPERR_NOT_IN_TIME_WINDOW) return 1;
    exchange.is_over = true;
    if (is_report || operation == NETSNMP_CALLBACK_OP_SEC_ERROR) {
      if (exchange.report == 0) exchange.report = session->s_snmp_errno;
    } else if (operation == NETSNMP_CALLBACK_OP_TIMED_OUT)
      exchange.timed_out = true;
    else if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || !pdu)
      exchange.failed_with = session->s_snmp_errno != 0 ? session->s_snmp_errno : SNMPERR_GENERR;
    else
      exchange.reply = reply_of(*pdu);
    return 1;
  }
};

SnmpSession::SnmpSession(const DeviceAddress& address, milliseconds timeout, std::stop_token stop)
    : address_{address}, snmp_{address.where.as<SnmpAddress>()}, timeout_{timeout}, stop_{std::move(stop)} {}

SnmpSession::~SnmpSession() { close(); }

void SnmpSession::rest() {
  if (!handle_) return;
  const auto lock = lock_snmp_library();
  snmp_sess_close(handle_);
  handle_ = nullptr;
}

void SnmpSession::close() {
  rest();
  engine_id_.clear();
  secrets_.reset();
}

Result<void> SnmpSession::read_secrets() {
  if (secrets_) return {};
  Secrets secrets;
  if (const DeviceSecret* community = address_.secret(community_key)) {
    auto secret = community->read();
    if (!secret) return secret.error();
    secrets.community = *std::move(secret);
  }
  const Protocol authentication = protocol_of(snmp_.authentication);
  if (snmp_.authentication != SnmpAuthentication::none) {
    auto key = key_from(*address_.secret(authentication_key), authentication);
    if (!key) return key.error();
    secrets.authentication_key = *std::move(key);
  }
  if (snmp_.privacy != SnmpPrivacy::none) {
    auto key = key_from(*address_.secret(privacy_key), authentication);
    if (!key) return key.error();
    secrets.privacy_key = *std::move(key);
  }
  secrets_ = std::move(secrets);
  return {};
}

Result<void> SnmpSession::open() {
  if (const auto read = read_secrets(); !read) return read.error();
  const auto resolved = numeric_address(snmp_.peer.host);
  if (!resolved) return resolved.error();
  const bool is_v3 = snmp_.version == SnmpVersion::v3;
  const bool is_v6 = resolved->find(':') != std::string::npos;
  std::string peer = is_v6 ? fmt::format("udp6:[{}]:{}", *resolved, snmp_.peer.port)
                           : fmt::format("udp:{}:{}", *resolved, snmp_.peer.port);

  const auto lock = lock_snmp_library();
  netsnmp_session session;
  snmp_sess_init(&session);
  session.peername = peer.data();
  session.timeout = std::chrono::microseconds{timeout_}.count();
  session.retries = 0;  // the caller decides who deserves a second request
  session.version = is_v3                              ? SNMP_VERSION_3
                    : snmp_.version == SnmpVersion::v1 ? SNMP_VERSION_1
                                                       : SNMP_VERSION_2c;
  session.flags |= SNMP_FLAGS_DONT_PROBE;  // the library would wait for the device while it holds our lock
  if (is_v3) {
    session.securityName = snmp_.user.data();
    session.securityNameLen = snmp_.user.size();
    fill_security(session, snmp_);
    fill_key(secrets_->authentication_key, session.securityAuthKey, session.securityAuthKeyLen);
    fill_key(secrets_->privacy_key, session.securityPrivKey, session.securityPrivKeyLen);
    session.securityEngineID = engine_id_.empty() ? nullptr : engine_id_.data();
    session.securityEngineIDLen = engine_id_.size();
  } else {
    session.community = reinterpret_cast<u_char*>(secrets_->community.data());
    session.community_len = secrets_->community.size();
  }
  handle_ = snmp_sess_open(&session);
  if (handle_) snmp_sess_session(handle_)->flags |= SNMP_FLAGS_DONT_PROBE;  // opening clears it
  if (!handle_) {
    char* text = nullptr;
    snmp_error(&session, nullptr, nullptr, &text);
    const std::unique_ptr<char, decltype(&std::free)> owner{text, &std::free};
    return fail(Errc::not_connected, Retry::later, "cannot open a socket to {}: {}", snmp_.peer.host,
                text ? text : "unknown reason");
  }
  return {};
}

Result<void> SnmpSession::open_v3() {
  netsnmp_pdu* request = nullptr;
  {
    const auto lock = lock_snmp_library();
    request = discovery_request();
  }
  const auto discovered = exchange(request);  // the answer is a report: it brings the engine id, no values
  if (!handle_) return discovered.error();    // stopped meanwhile
  const auto lock = lock_snmp_library();
  netsnmp_session* session = snmp_sess_session(handle_);
  if (session->securityEngineIDLen == 0)
    return discovered ? fail(Errc::corrupt, Retry::later, "the device does not tell its SNMPv3 engine id")
                      : discovered.error();
  if (usm_create_user_from_session(session) != SNMPERR_SUCCESS)
    return fail(Errc::invalid, Retry::never, "the SNMPv3 user \"{}\" cannot be set up with these algorithms",
                snmp_.user);
  engine_id_.assign(session->securityEngineID, session->securityEngineID + session->securityEngineIDLen);
  return {};
}

Result<SnmpReply> SnmpSession::ask(SnmpOperation operation, const std::vector<Oid>& oids, int repetitions) {
  if (stop_.stop_requested()) return fail(Errc::cancelled, Retry::never, "stopped");
  if (!handle_)
    if (const auto opened = open(); !opened) return opened.error();
  if (snmp_.version == SnmpVersion::v3 && engine_id_.empty())
    if (const auto opened = open_v3(); !opened) {
      close();
      return opened.error();
    }
  netsnmp_pdu* pdu = nullptr;
  {
    const auto lock = lock_snmp_library();
    pdu = snmp_pdu_create(operation == SnmpOperation::get        ? SNMP_MSG_GET
                          : operation == SnmpOperation::get_next ? SNMP_MSG_GETNEXT
                                                                 : SNMP_MSG_GETBULK);
    if (operation == SnmpOperation::get_bulk) {
      pdu->non_repeaters = 0;
      pdu->max_repetitions = repetitions;
    }
    for (const Oid& one : oids) {
      const std::vector<oid> name{one.begin(), one.end()};
      snmp_add_null_var(pdu, name.data(), name.size());
    }
  }
  auto reply = exchange(pdu);
  // Whatever went wrong, another device may stand there when it answers again: its engine id is asked anew.
  if (!reply && (reply.error().code != Errc::no_answer || !engine_id_.empty())) close();
  return reply;
}

Result<SnmpReply> SnmpSession::exchange(void* request) {
  constexpr milliseconds slice{100};  // how late a stop may be noticed
  Exchange exchange;
  int descriptor = -1;
  {
    const auto lock = lock_snmp_library();
    auto* pdu = static_cast<netsnmp_pdu*>(request);
    if (snmp_sess_async_send(handle_, pdu, &Exchange::arrived, &exchange) == 0) {
      snmp_free_pdu(pdu);
      const int error = snmp_sess_session(handle_)->s_snmp_errno;
      return fail(Errc::not_connected, Retry::now, "cannot send: {}", snmp_api_errstring(error));
    }
    descriptor = snmp_sess_transport(handle_)->sock;
  }
  while (!exchange.is_over) {
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(slice, timeout_).count()));
    const auto lock = lock_snmp_library();
    if (stop_.stop_requested()) {
      snmp_sess_close(handle_);  // forgets the request, which points to our exchange
      handle_ = nullptr;
      return fail(Errc::cancelled, Retry::never, "stopped");
    }
    if (ready > 0) {
      netsnmp_large_fd_set readable;
      netsnmp_large_fd_set_init(&readable, descriptor + 1);
      netsnmp_large_fd_setfd(descriptor, &readable);
      snmp_sess_read2(handle_, &readable);
      netsnmp_large_fd_set_cleanup(&readable);
    }
    if (!exchange.is_over) snmp_sess_timeout(handle_);
  }
  if (exchange.reply) return *std::move(exchange.reply);
  if (exchange.report != 0 && !exchange.timed_out) return security_error(exchange.report, snmp_);
  if (exchange.timed_out)
    return fail(Errc::no_answer, Retry::now, "no answer: off, unreachable or wrong {}",
                snmp_.version != SnmpVersion::v3 ? "community"
                : !engine_id_.empty()            ? "privacy passphrase"
                                                 : "port");
  return security_error(exchange.failed_with, snmp_);
}

}  // namespace watchroom::agent
