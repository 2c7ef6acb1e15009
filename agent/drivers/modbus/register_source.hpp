// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {

enum class RegisterTable { coil, discrete, input, holding };
enum class RegisterType { bit, u16, i16, u32, i32, u64, i64, f32, f64, bcd16, bcd32, text };
/// The order in which the bytes A (highest) to D of a value arrive: abcd is big-endian, cdab has its words
/// swapped, badc the bytes of each word, dcba is little-endian.
enum class ByteOrder { abcd, cdab, badc, dcba };

/// Registers, or bits, that one type takes.
int width_of(RegisterType type);

/// A neighbouring register whose code chooses the factor: metres or feet, bar or kPa.
struct FactorRegister {
  std::uint16_t address = 0;
  std::map<std::int64_t, double> factors;
};

/// How a point is written that may be.
struct RegisterWrite {
  bool is_multiple = false;  ///< with function 15 or 16, not 5 or 6
  /// What to write for each state; empty for numbers.
  std::map<std::int64_t, std::int64_t> contents;
};

/// Where a point stands in a Modbus device. Addresses are those on the wire, from 0.
struct RegisterSource {
  RegisterTable table = RegisterTable::holding;
  std::uint16_t address = 0;
  RegisterType type = RegisterType::u16;
  ByteOrder order = ByteOrder::abcd;
  std::optional<std::uint64_t> mask;               ///< some bits of the word, shifted down to 0
  std::optional<std::uint16_t> decimals_register;  ///< same table; the value is divided by 10^content
  std::optional<FactorRegister> factor_register;   ///< same table
  std::uint16_t text_length = 0;                   ///< registers of a text
  std::optional<RegisterWrite> write;              ///< nothing: it is only read

  std::uint16_t width() const;
};

/// A register by which a model is recognised: it holds one of `values`, or a value from `least` to `most`.
struct RegisterProbe {
  RegisterSource source;
  std::vector<std::int64_t> values;
  std::optional<double> least;
  std::optional<double> most;
};

struct ModbusTraits {
  int max_registers = 125;
  int max_bits = 2000;
  int largest_hole = 16;              ///< unused registers worth reading to save a request
  std::vector<std::string> identity;  ///< texts; its identification (function 43) holds one of them
  std::vector<RegisterProbe> probes;  ///< all must hold
};

/// Whether and how a `[[point]]` may be written; `point` holds all the rest of it.
std::optional<RegisterWrite> read_write(const SettingsTable& table, const ProfilePoint& point,
                                        const PointTraits& traits, const PointKind* kind);

extern const ProfileGrammar modbus_profiles;

}  // namespace watchroom::agent
