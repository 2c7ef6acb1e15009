// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "agent/drivers/host_names.hpp"
#include "agent/drivers/snmp/credentials.hpp"
#include "agent/drivers/snmp/pdu.hpp"
#include "agent/drivers/snmp/snmp_address.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// A device's answer. `error` is an SNMP error-status (RFC 3416 3), `error_index` counts from 1.
struct SnmpReply {
  int error = 0;
  int error_index = 0;
  std::vector<Varbind> varbinds;
};

enum class SnmpOperation { get, get_next, get_bulk };

/// A conversation with one agent. Opens a socket when needed and finds out the engine id of an SNMPv3 agent.
/// Each request ends within `timeout`, sooner when stopped. One thread at a time.
class SnmpSession {
 public:
  /// `names` and `keyring` must outlive it.
  SnmpSession(const DeviceAddress& address, HostNames& names, SnmpKeyring& keyring,
              std::chrono::milliseconds timeout, std::stop_token stop);
  SnmpSession(const SnmpSession&) = delete;
  SnmpSession& operator=(const SnmpSession&) = delete;
  ~SnmpSession();

  /// `repetitions` is for get_bulk. Time-outs, and what SNMPv3 says of users and keys, come as errors.
  Result<SnmpReply> ask(SnmpOperation operation, const std::vector<Oid>& oids, int repetitions = 0);
  /// Sets an object, in one request that is sent once. What came of it where the error is `no_answer`, nobody
  /// knows; with any other error it was not done.
  Result<SnmpReply> set(const Oid& oid, std::int64_t content, bool is_unsigned);
  /// Gives the socket back until the next `ask`; what is known of the device is kept. So thousands of devices
  /// need as many sockets as are asked at one moment.
  void rest();

 private:
  struct Exchange;
  Result<HostAddress> choose_address();
  Result<void> open();
  Result<void> open_v3();
  void close();
  void forget_time();
  bool set_user();
  void try_next_address();
  Result<void> prepare();
  /// Owns the request.
  Result<SnmpReply> concluded(void* request);
  Result<SnmpReply> exchange(void* request);

  DeviceAddress address_;
  const SnmpAddress& snmp_;  // in address_
  HostNames& names_;
  SnmpKeyring& keyring_;
  std::chrono::milliseconds timeout_;
  std::stop_token stop_;
  std::optional<HostAddress> where_;  // of the host's addresses the one that is asked; empty: the next
  std::size_t tried_ = 0;             // addresses that brought nothing
  std::size_t addresses_ = 1;         // how many the host has
  void* handle_ = nullptr;            // net-snmp's session; null: closed
  std::shared_ptr<const SnmpSecrets> secrets_;  // null: to be read; devices with the same ones share them
  std::string engine_id_;                       // SNMPv3: of the device that answers; empty: not known
};

}  // namespace watchroom::agent
