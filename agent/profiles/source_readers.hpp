// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/profiles/profile.hpp"
#include "proto/model/point_name.hpp"

/// Parts of profile_reader.cpp: one a bus, and the alarms. Each adds what is wrong to its table's problems.
namespace watchroom::agent {

/// The last address or register there can be.
constexpr std::int64_t last_register = 65535;

constexpr std::string_view never_released =
    "Watchroom never releases extinguishing agent: a device of fire or gas protection is only read";

std::optional<std::int64_t> integer_of(std::string_view text);
StateText read_texts(const SettingsTable& table);
/// A table of code = factor.
std::map<std::int64_t, double> read_codes(const SettingsTable& table);

/// `point` is the [[point]], with all but its alarms in `traits`.
std::vector<PointAlarm> read_alarms(const SettingsTable& point, const PointTraits& traits);

ModbusTraits read_modbus_traits(const SettingsTable& table);
RegisterSource read_register(const SettingsTable& table, const ModbusTraits& traits);
/// Whether and how a `[[point]]` may be written; `point` holds all the rest of it.
std::optional<RegisterWrite> read_write(const SettingsTable& table, const ProfilePoint& point,
                                        const PointTraits& traits, const PointKind* kind);

SnmpTraits read_snmp_traits(const SettingsTable& table);
/// `table` is the [[point]] itself.
ObjectSource read_object(const SettingsTable& table);

}  // namespace watchroom::agent
