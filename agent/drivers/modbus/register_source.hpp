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
enum class RegisterType { bit, u16, i16, u32, i32, u64, i64, f32, f64, bcd16, bcd32 };
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

/// Where a point stands in a Modbus device. Addresses are those on the wire, from 0.
struct RegisterSource {
  RegisterTable table = RegisterTable::holding;
  std::uint16_t address = 0;
  RegisterType type = RegisterType::u16;
  ByteOrder order = ByteOrder::abcd;
  std::optional<std::uint64_t> mask;               ///< some bits of the word, shifted down to 0
  std::optional<std::uint16_t> decimals_register;  ///< same table; the value is divided by 10^content
  std::optional<FactorRegister> factor_register;   ///< same table
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

extern const ProfileGrammar modbus_profiles;

}  // namespace watchroom::agent
