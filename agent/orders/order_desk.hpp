// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "proto/base/log.hpp"
#include "proto/trust/freshness.hpp"

namespace watchroom::agent {

/// The kinds of orders there are.
namespace order_kinds {
inline constexpr std::string_view configuration = "configuration";
}

/// Where signed orders of the centre are judged: signature, audience, freshness. What was heard is on
/// disk before an order is passed on, so that none is followed twice, over any restart. One thread.
class OrderDesk {
 public:
  /// `folder` is made when missing; `authority` is read anew for each order, since it may be renewed.
  OrderDesk(std::filesystem::path folder, std::filesystem::path authority, std::string site,
            std::string agent);

  /// Errors say why it is not followed. A disk that cannot remember it is one.
  Result<Order> take(std::string_view signed_order, CertificateTime time);

 private:
  Result<std::map<std::string, Heard>> read_heard() const;
  Result<void> remember(const std::map<std::string, Heard>& heard) const;

  const std::filesystem::path folder_, authority_;
  const std::string site_, agent_;
};

}  // namespace watchroom::agent
