// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/log.hpp"
#include "proto/trust/freshness.hpp"

namespace watchroom::agent {

/// Where signed orders of the centre are judged: signature, audience, freshness. What was heard is on
/// disk before an order is passed on, so that none is followed twice, over any restart. Each kind has numbers
/// of its own: a configuration that waits for its agent is not overtaken by an output that is switched. One
/// thread.
class OrderDesk {
 public:
  /// `folder` is made when missing; `authority` is read anew for each order, since it may be renewed.
  OrderDesk(std::filesystem::path folder, std::filesystem::path authority, std::string site,
            std::string agent);

  /// What is known of an order's age when it answers a challenge of ours.
  using AgeOf = std::function<std::optional<std::chrono::milliseconds>(const Order&)>;
  /// Errors say why it is not followed. A disk that cannot remember it is one.
  Result<Order> take(std::string_view signed_order, CertificateTime time, const AgeOf& age_of);
  /// Since when the newest key counts that was heard, of the issuer who is the farthest behind; 1970 when
  /// nobody was heard. Nothing: it cannot be read.
  std::optional<Timestamp> oldest_key() const;

 private:
  /// Of one issuer: the newest of its keys, and the last number of each kind.
  struct HeardOf {
    Timestamp key_since{};
    std::map<std::string, std::uint64_t> numbers;
  };
  using HeardOfAll = std::map<std::string, HeardOf>;
  Result<HeardOfAll> read_heard() const;
  Result<void> remember(const HeardOfAll& heard) const;

  const std::filesystem::path folder_, authority_;
  const std::string site_, agent_;
};

}  // namespace watchroom::agent
