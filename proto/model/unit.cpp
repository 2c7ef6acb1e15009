// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/model/unit.hpp"

#include <array>
#include <cstdlib>

namespace watchroom {
namespace {

struct Row {
  Unit unit;
  std::string_view name;
  std::string_view symbol;
};

constexpr std::array rows{
    Row{Unit::none, "none", ""},
    Row{Unit::state, "state", ""},
    Row{Unit::text, "text", ""},
    Row{Unit::count, "count", ""},
    Row{Unit::celsius, "celsius", "°C"},
    Row{Unit::percent_rh, "percent_rh", "%RH"},
    Row{Unit::percent, "percent", "%"},
    Row{Unit::volt, "volt", "V"},
    Row{Unit::ampere, "ampere", "A"},
    Row{Unit::watt, "watt", "W"},
    Row{Unit::volt_ampere, "volt_ampere", "VA"},
    Row{Unit::var, "var", "var"},
    Row{Unit::power_factor, "power_factor", ""},
    Row{Unit::kilowatt_hour, "kilowatt_hour", "kWh"},
    Row{Unit::ampere_hour, "ampere_hour", "Ah"},
    Row{Unit::hertz, "hertz", "Hz"},
    Row{Unit::megapascal, "megapascal", "MPa"},
    Row{Unit::pascal, "pascal", "Pa"},
    Row{Unit::kilopascal, "kilopascal", "kPa"},
    Row{Unit::meter, "meter", "m"},
    Row{Unit::second, "second", "s"},
    Row{Unit::millisecond, "millisecond", "ms"},
    Row{Unit::minute, "minute", "min"},
    Row{Unit::ohm, "ohm", "Ω"},
    Row{Unit::milliampere, "milliampere", "mA"},
    Row{Unit::meter_per_second, "meter_per_second", "m/s"},
    Row{Unit::cubic_meter_per_hour, "cubic_meter_per_hour", "m³/h"},
    Row{Unit::liter_per_minute, "liter_per_minute", "L/min"},
    Row{Unit::revolution_per_minute, "revolution_per_minute", "r/min"},
    Row{Unit::bit_per_second, "bit_per_second", "bit/s"},
    Row{Unit::byte, "byte", "B"},
};

const Row& row_of(Unit unit) {
  for (const Row& row : rows)
    if (row.unit == unit) return row;
  std::abort();
}

}  // namespace

std::string_view name_of(Unit unit) { return row_of(unit).name; }
std::string_view symbol_of(Unit unit) { return row_of(unit).symbol; }

std::optional<Unit> unit_named(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.unit;
  return std::nullopt;
}

}  // namespace watchroom
