// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/order_intake.hpp"

#include "proto/base/base64.hpp"

namespace watchroom::agent {

std::optional<Order> OrderIntake::take(const std::string& text) {
  const auto bytes = from_base64(text);
  if (!bytes) {
    note_refusal();
    refuse("an order of the centre is refused: it is not in base64");
    return std::nullopt;
  }
  auto order = desk_.take(*bytes, clock_.certificate_time(), [this](const Order& one) {
    return challenges_.age_of(one.challenge, one.challenge_age);
  });
  if (order) {
    note_key();
    return *std::move(order);
  }
  if (order.error().code != Errc::conflict) note_refusal();
  refuse(order.error().text);
  return std::nullopt;
}

void OrderIntake::note_dropped(std::uint64_t count) {
  if (count > 0) refuse(fmt::format("{} orders came at once and were not looked at", count));
}

OrderFigures OrderIntake::figures() const {
  constexpr auto lately = std::chrono::minutes{15};
  const std::lock_guard lock{figures_mutex_};
  OrderFigures now = figures_;
  now.is_refused_lately = refused_at_ && clock_.steady() - *refused_at_ < lately;
  return now;
}

void OrderIntake::note_refusal() {
  const std::lock_guard lock{figures_mutex_};
  ++figures_.refused;
  refused_at_ = clock_.steady();
}

void OrderIntake::note_key() {
  const auto since = desk_.oldest_key();
  const std::lock_guard lock{figures_mutex_};
  figures_.key_since = since;
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
