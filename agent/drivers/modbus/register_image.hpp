// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/register_source.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::agent {

/// Registers that belong together: those of one value.
struct RegisterSpan {
  RegisterTable table = RegisterTable::holding;
  std::uint16_t address = 0;
  std::uint16_t count = 0;

  auto operator<=>(const RegisterSpan&) const = default;
};

/// All the spans a point needs: its own, its decimals', its factor's.
std::vector<RegisterSpan> spans_of(const RegisterSource& source);

/// The registers of a value of one to four words.
std::vector<std::uint16_t> words_of(std::uint64_t bits, const RegisterSource& source);

/// What one round of requests brought, and the values in it.
class RegisterImage {
 public:
  void clear() { blocks_.clear(); }
  void add(const ReadRequest& request, std::vector<std::uint16_t> words);

  /// Nothing when any of it was not read.
  std::optional<std::span<const std::uint16_t>> find(const RegisterSpan& span) const;
  /// What the registers for the decimals and the factor of a value say; nothing when they say nothing known.
  std::optional<double> factor_of(const RegisterSource& source) const;
  /// Bad when its registers were not read.
  Reading read(const RegisterSource& source, const Conversion& conversion, Timestamp at) const;

 private:
  struct Block {
    ReadRequest request;
    std::vector<std::uint16_t> words;
  };
  std::vector<Block> blocks_;
};

}  // namespace watchroom::agent
