// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "proto/base/log.hpp"

namespace watchroom::agent {

/// Our own SNMP engine (RFC 3411 5, RFC 3414 2.2), which is authoritative for the informs that are sent to
/// us.
struct SnmpEngine {
  std::string id;  ///< bytes
  std::uint32_t boots = 0;
};

/// Takes the engine from DATA_DIR/snmp_engine.json, one boot later than last time, and writes that down
/// first. Where it cannot be written it is a new engine, to which nothing that was recorded before can be
/// replayed.
SnmpEngine start_snmp_engine(const std::filesystem::path& data_dir, const Log& log);

/// Makes it net-snmp's local engine. The library is to be prepared before.
void use_snmp_engine(const SnmpEngine& engine);

}  // namespace watchroom::agent
