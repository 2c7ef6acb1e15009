// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>

#include "agent/drivers/snmp/credentials.hpp"

namespace watchroom::agent {

/// The users net-snmp is to know for one message at a time: its list is one for the process, by engine id and
/// name, but two devices may give one name two keys. All calls are made holding the library's lock.
class TrapUsers {
 public:
  explicit TrapUsers(std::string our_engine_id) : our_engine_id_{std::move(our_engine_id)} {}

  bool is_ours(const std::string& engine_id) const { return engine_id == our_engine_id_; }
  /// Before a message of that user and engine is read.
  void prepare(const std::string& engine_id, const SnmpAddress& snmp, const SnmpSecrets& secrets);
  /// After it: what was made for a message whose keys proved nothing is forgotten, engine id and all, so that
  /// nobody fills our memory with made-up engines.
  void settle(bool is_authentic);

 private:
  std::string our_engine_id_;
  struct Fresh {
    std::string engine_id;
    std::string user;
  };
  std::optional<Fresh> fresh_;
};

/// net-snmp's own counters of refused SNMPv3 messages (RFC 3414 3.2).
struct SecurityCounts {
  unsigned users = 0;
  unsigned digests = 0;
  unsigned levels = 0;
  unsigned decryptions = 0;
  bool operator==(const SecurityCounts&) const = default;
  static SecurityCounts now();
};

}  // namespace watchroom::agent
