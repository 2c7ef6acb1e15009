// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

namespace watchroom {

/// What a centre tells one agent to do, signed: switch an output, follow a configuration, carry out a plan.
struct Order {
  std::string kind;          ///< what `body` is: 1 to 64 of a-z 0-9 . _ -
  std::string issuer;        ///< host id of the centre
  std::string site, agent;   ///< whom it is for
  std::uint64_t number = 0;  ///< greater than that of every order of this issuer before
  Timestamp issued{}, expires{};
  std::string body;
  /// What the agent told last for this (Properties/Challenge), and for how long the issuer had it then. An
  /// agent that knows when it told it knows how old the order is, whatever its clock says.
  std::string challenge = {};
  std::chrono::milliseconds challenge_age{};

  bool operator==(const Order&) const = default;
};

/// The kinds of orders there are.
namespace order_kinds {
inline constexpr std::string_view configuration = "configuration";
inline constexpr std::string_view output = "output";  ///< body: output_order.hpp
inline constexpr std::string_view key = "key";  ///< no body: to be heard, so that its key ends the older
}  // namespace order_kinds

inline constexpr std::size_t longest_order = 4u << 20;  ///< bytes: a configuration of some thousand devices

/// The one way to write an order: protobuf, every field, in order of its number (messages/trust.proto).
std::string canonical_bytes(const Order& order);
/// Refuses whatever is not written that one way: what is signed can be read in no second manner.
Result<Order> read_order(std::string_view bytes);

}  // namespace watchroom
