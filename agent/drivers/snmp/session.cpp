// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/session.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <poll.h>

#include "agent/drivers/snmp/library.hpp"

namespace watchroom::agent {
namespace {

using std::chrono::milliseconds;

SnmpReply reply_of(const netsnmp_pdu& pdu) {
  return {static_cast<int>(pdu.errstat), static_cast<int>(pdu.errindex), varbinds_of(pdu)};
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
  bool clock_went_back = false;
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

SnmpSession::SnmpSession(const DeviceAddress& address, HostNames& names, SnmpKeyring& keyring,
                         milliseconds timeout, std::stop_token stop)
    : address_{address},
      snmp_{address_.where.as<SnmpAddress>()},
      names_{names},
      keyring_{keyring},
      timeout_{timeout},
      stop_{std::move(stop)} {}

SnmpSession::~SnmpSession() { close(); }

void SnmpSession::rest() {
  if (!handle_) return;
  const auto lock = lock_snmp_library();
  snmp_sess_close(handle_);
  handle_ = nullptr;
}

/// A device that started over without counting its boots up would be refused for ever: its answers look older
/// than what we know of its clock (RFC 3414 3.2, 7b). What it says next is believed, as at a first contact.
void SnmpSession::forget_time() {
  if (engine_id_.empty()) return;
  const auto lock = lock_snmp_library();
  free_enginetime(reinterpret_cast<u_char*>(engine_id_.data()), engine_id_.size());
}

/// Two devices may tell one engine id (clones) and have one user with two passphrases, and a passphrase may
/// have changed since the library was told of the user. With the library's lock held.
bool SnmpSession::set_user() {
  return engine_id_.empty() || !secrets_ || set_library_user(engine_id_, snmp_, *secrets_);
}

void SnmpSession::close() {
  rest();
  engine_id_.clear();
  secrets_.reset();
}

/// The address that answered last, as long as the host has it, else the next one. Looked up here, for
/// net-snmp would do it while it holds its lock.
Result<HostAddress> SnmpSession::choose_address() {
  const auto found = names_.find(snmp_.peer.host, stop_);
  if (!found) return found.error();
  const auto is_there = [this](const HostAddress& one) { return where_ && one.is_same_host(*where_); };
  addresses_ = found->size();
  if (!std::ranges::any_of(*found, is_there)) where_ = (*found)[tried_ % addresses_];
  return *where_;
}

Result<void> SnmpSession::open() {
  if (!secrets_) {
    auto read = keyring_.secrets_of(address_);
    if (!read) return read.error();
    secrets_ = *std::move(read);
  }
  const auto where = choose_address();
  if (!where) return where.error();
  const bool is_v3 = snmp_.version == SnmpVersion::v3;
  std::string peer = where->family() == AF_INET6 ? fmt::format("udp6:[{}]:{}", where->text(), snmp_.peer.port)
                                                 : fmt::format("udp:{}:{}", where->text(), snmp_.peer.port);

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
    fill_user(session, snmp_, *secrets_);
    session.securityEngineID = engine_id_.empty() ? nullptr : reinterpret_cast<u_char*>(engine_id_.data());
    session.securityEngineIDLen = engine_id_.size();
  } else {
    // net-snmp only copies it
    session.community = const_cast<u_char*>(reinterpret_cast<const u_char*>(secrets_->community.data()));
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

void SnmpSession::try_next_address() {
  if (addresses_ < 2 || stop_.stop_requested()) return;
  rest();
  ++tried_;
  where_.reset();
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
  engine_id_.assign(reinterpret_cast<const char*>(session->securityEngineID), session->securityEngineIDLen);
  if (!set_user())
    return fail(Errc::invalid, Retry::never, "the SNMPv3 user \"{}\" cannot be set up with these algorithms",
                snmp_.user);
  return {};
}

Result<void> SnmpSession::prepare() {
  if (stop_.stop_requested()) return fail(Errc::cancelled, Retry::never, "stopped");
  if (!handle_)
    if (const auto opened = open(); !opened) return opened.error();
  if (snmp_.version == SnmpVersion::v3 && engine_id_.empty())
    if (const auto opened = open_v3(); !opened) {
      close();
      try_next_address();
      return opened.error();
    }
  return {};
}

Result<SnmpReply> SnmpSession::ask(SnmpOperation operation, const std::vector<Oid>& oids, int repetitions) {
  if (const auto prepared = prepare(); !prepared) return prepared.error();
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
  return concluded(pdu);
}

Result<SnmpReply> SnmpSession::set(const Oid& name, std::int64_t content, bool is_unsigned) {
  if (auto prepared = prepare(); !prepared) {
    // It is silence that met the question for the engine id: what was to be set was not sent.
    Error error = prepared.error();
    if (error.code == Errc::no_answer) error.code = Errc::not_connected;
    return error;
  }
  netsnmp_pdu* pdu = nullptr;
  {
    const auto lock = lock_snmp_library();
    pdu = snmp_pdu_create(SNMP_MSG_SET);
    const std::vector<oid> plain{name.begin(), name.end()};
    // The library's integers are longs of which the wire takes 32 bits.
    const long number = static_cast<long>(content);
    snmp_pdu_add_variable(pdu, plain.data(), plain.size(), is_unsigned ? ASN_GAUGE : ASN_INTEGER, &number,
                          sizeof number);
  }
  return concluded(pdu);
}

Result<SnmpReply> SnmpSession::concluded(void* request) {
  auto reply = exchange(request);
  // Whatever went wrong, another device may stand there when it answers again: its engine id is asked anew.
  if (!reply && (reply.error().code != Errc::no_answer || !engine_id_.empty())) {
    forget_time();
    close();
  }
  if (!reply) try_next_address();
  return reply;
}

Result<SnmpReply> SnmpSession::exchange(void* request) {
  constexpr milliseconds slice{100};  // how late a stop may be noticed
  Exchange exchange;
  int descriptor = -1;
  {
    const auto lock = lock_snmp_library();
    auto* pdu = static_cast<netsnmp_pdu*>(request);
    set_user();
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
      set_user();  // another session may have put its own keys there meanwhile
      const auto too_old = snmp_get_statistic(STAT_USMSTATSNOTINTIMEWINDOWS);
      snmp_sess_read2(handle_, &readable);
      netsnmp_large_fd_set_cleanup(&readable);
      exchange.clock_went_back |= snmp_get_statistic(STAT_USMSTATSNOTINTIMEWINDOWS) != too_old ||
                                  snmp_sess_session(handle_)->s_snmp_errno == SNMPERR_USM_NOTINTIMEWINDOW;
    }
    if (!exchange.is_over) snmp_sess_timeout(handle_);
  }
  if (exchange.reply) return *std::move(exchange.reply);
  if (exchange.report != 0 && !exchange.timed_out) return security_error(exchange.report, snmp_);
  if (exchange.timed_out && exchange.clock_went_back)
    return fail(
        Errc::no_answer, Retry::now,
        "no answer that may be believed: the device's SNMPv3 clock went back, but its count of boots did "
        "not go up; it is found anew");
  if (exchange.timed_out)
    return fail(Errc::no_answer, Retry::now, "no answer: off, unreachable or wrong {}",
                snmp_.version != SnmpVersion::v3 ? "community"
                : !engine_id_.empty()            ? "privacy passphrase"
                                                 : "port");
  return security_error(exchange.failed_with, snmp_);
}

}  // namespace watchroom::agent
