// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <vector>

#include "agent/drivers/snmp/pdu.hpp"
#include "agent/profiles/profile.hpp"

namespace watchroom::agent {

/// The OID of an SNMPv1 trap as SNMPv2 would name it (RFC 3584 3.1).
Oid notification_of(const Oid& enterprise, int generic, std::uint32_t specific);

/// coldStart or warmStart: the device has started, and may be another than before.
bool is_start(const Oid& notification);

/// What a trap says, for people, in a bounded length: its name from the profile in both languages, then its
/// bindings, with the profile's names and texts where it knows them. Else numbers.
std::string trap_text(const Profile& profile, const Oid& notification, const std::vector<Varbind>& bindings);
constexpr std::size_t longest_trap_text = 600;

}  // namespace watchroom::agent
