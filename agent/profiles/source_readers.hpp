// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/profiles/profile.hpp"

/// Parts of profile_reader.cpp, one a bus. Each adds what is wrong to its table's problems.
namespace watchroom::agent {

/// The last address or register there can be.
constexpr std::int64_t last_register = 65535;

std::optional<std::int64_t> integer_of(std::string_view text);
/// A table of code = factor.
std::map<std::int64_t, double> read_codes(const SettingsTable& table);

ModbusTraits read_modbus_traits(const SettingsTable& table);
RegisterSource read_register(const SettingsTable& table);

SnmpTraits read_snmp_traits(const SettingsTable& table);
/// `table` is one [[trap]].
ProfileTrap read_trap(const SettingsTable& table);
/// `table` is the [[point]] itself.
ObjectSource read_object(const SettingsTable& table);

}  // namespace watchroom::agent
