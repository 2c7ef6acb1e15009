// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/pdu.hpp"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

namespace watchroom::agent {
namespace {

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
      return std::string{reinterpret_cast<const char*>(variable.val.string), variable.val_len};
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

}  // namespace

std::vector<Varbind> varbinds_of(const netsnmp_pdu& pdu) {
  std::vector<Varbind> varbinds;
  for (const netsnmp_variable_list* variable = pdu.variables; variable; variable = variable->next_variable) {
    Oid named;
    for (std::size_t i = 0; i < variable->name_length; ++i)
      named.push_back(static_cast<std::uint32_t>(variable->name[i]));
    varbinds.push_back({std::move(named), value_of(*variable)});
  }
  return varbinds;
}

}  // namespace watchroom::agent
