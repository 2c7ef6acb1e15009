// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/trust/signed_order.hpp"

namespace watchroom {

/// How far an agent has come with one issuer. To be on disk before anything is done that an order says:
/// else a crash would let it be said again.
struct Heard {
  std::uint64_t number = 0;  ///< of the last order that was taken
  Timestamp key_since{};     ///< of the newest key that has signed one

  bool operator==(const Heard&) const = default;
};

enum class Timeliness {
  must_be_timely,  ///< an act: one that answers no challenge of ours is refused by a clock that nobody
                   ///< vouches for, for it may be from last year
  may_wait,        ///< a configuration: that it is the newest is enough
};

/// What an agent knows of the time of an order.
struct OrderTime {
  CertificateTime wall;
  /// How old it is by our steady clock, when it answers a challenge of ours.
  std::optional<std::chrono::milliseconds> age = std::nullopt;
};

/// Whether an order is for this agent, was not heard before, and is of now. What is then to be remembered.
/// An order of a newer key ends all older keys of its issuer, so that one that was stolen serves no longer
/// than until the next. Errc::conflict: it is the very last one once more, which may be the centre saying it
/// again. Pure.
Result<Heard> check_freshness(const Vouched& vouched, const Heard& before, std::string_view site,
                              std::string_view agent, const OrderTime& time, Timeliness timeliness);

}  // namespace watchroom
