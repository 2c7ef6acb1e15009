// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string_view>

namespace watchroom {

/// The units that readings are kept in: one per kind of quantity, so that values of one kind compare. A
/// device's own unit is turned into one of these by the scale in its profile.
enum class Unit {
  none,
  state,  ///< a raw code whose meaning is in the point's state table
  text,
  count,
  celsius,
  percent_rh,
  percent,
  volt,
  ampere,
  watt,
  volt_ampere,
  var,
  power_factor,
  kilowatt_hour,
  ampere_hour,
  hertz,
  megapascal,
  pascal,
  kilopascal,
  meter,
  second,
  millisecond,
  minute,
  ohm,
  milliampere,
  meter_per_second,
  cubic_meter_per_hour,
  liter_per_minute,
  revolution_per_minute,
  bit_per_second,
  byte,
};

/// The word in settings, profiles, the wire (`engUnit`) and the API: "celsius".
std::string_view name_of(Unit unit);
std::optional<Unit> unit_named(std::string_view name);
/// What people read behind the number: "°C"; empty for states, texts and bare numbers.
std::string_view symbol_of(Unit unit);

}  // namespace watchroom
