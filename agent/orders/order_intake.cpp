// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/order_intake.hpp"

#include "proto/base/base64.hpp"

namespace watchroom::agent {

std::optional<Order> OrderIntake::take(const std::string& text) {
  const auto bytes = from_base64(text);
  if (!bytes) {
    refuse("an order of the centre is refused: it is not in base64");
    return std::nullopt;
  }
  auto order = desk_.take(*bytes, clock_.certificate_time(), [this](const Order& one) {
    return challenges_.age_of(one.challenge, one.challenge_age);
  });
  if (order) return *std::move(order);
  refuse(order.error().text);
  return std::nullopt;
}

/// Whoever has the broker can send any number of orders that nobody signed: they must not fill log and
/// journal.
void OrderIntake::refuse(const std::string& why) {
  constexpr auto span = std::chrono::minutes{1};
  constexpr int most = 10;
  const Steady now = clock_.steady();
  if (now - refusals_since_ >= span) {
    refusals_since_ = now;
    refusals_ = 0;
  }
  if (++refusals_ > most) return;
  told_.push_back(why + (refusals_ == most ? "; more of this minute are not told" : ""));
}

}  // namespace watchroom::agent
