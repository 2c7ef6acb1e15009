// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <vector>

#include "agent/drivers/snmp/object_source.hpp"
#include "agent/drivers/snmp/object_value.hpp"

struct snmp_pdu;

namespace watchroom::agent {

struct Varbind {
  Oid oid;
  ObjectValue value;
};

/// The bindings of a message that net-snmp has taken apart.
std::vector<Varbind> varbinds_of(const snmp_pdu& pdu);

}  // namespace watchroom::agent
