// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace watchroom::agent {

/// What the outside of an SNMP message says, before anything in it is believed.
struct TrapHeader {
  int version = 0;        ///< as on the wire: 0 v1, 1 v2c, 3 v3
  std::string engine_id;  ///< v3: of whoever is authoritative; bytes
  std::string user;       ///< v3
};

/// Nothing when it is no SNMP message. Pure.
std::optional<TrapHeader> read_trap_header(std::span<const std::uint8_t> datagram);

}  // namespace watchroom::agent
