// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/result.hpp"

namespace watchroom {

/// What an output is ordered to be: "automatic" is back to what the agent's own reactions say.
enum class OutputTarget { automatic, off, on };
std::string_view name_of(OutputTarget target);
std::optional<OutputTarget> output_target_named(std::string_view name);

/// The body of an order of the kind "output".
struct OutputOrder {
  std::string output;  ///< its name in the agent's settings
  OutputTarget to = OutputTarget::automatic;
  std::string by;                  ///< a person, for the agent's log
  std::chrono::seconds within{};   ///< of when it was signed: done and read back by then, or given up
  std::chrono::seconds lasting{};  ///< from its arrival, at least `within`; then it is automatic again

  static constexpr std::chrono::seconds least_within{2}, most_within{60};
  static constexpr std::chrono::seconds most_lasting{24 * 3600};

  bool operator==(const OutputOrder&) const = default;
};

/// How far an agent is with the order for an output that it took last. The numbers are on the wire:
/// `local_output[].progress` of the device self.
enum class OutputProgress : std::int64_t {
  none = 0,
  under_way = 1,  ///< taken, not read back yet
  done = 2,       ///< read back as ordered
  overruled = 3,  ///< a reaction or an inhibit counts more just now
  failed = 4,     ///< not done in its time, given up
  ended = 5,      ///< was done, and its time is over
};
std::string_view name_of(OutputProgress progress);

std::string to_body(const OutputOrder& order);
/// Errc::corrupt for whatever is not exactly what `to_body` writes: unknown keys, other types, times out of
/// range.
Result<OutputOrder> read_output_order(std::string_view body);

}  // namespace watchroom
