// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/clock/agent_clock.hpp"
#include "agent/clock/challenges.hpp"
#include "agent/orders/order_desk.hpp"

namespace watchroom::agent {

/// What people are to know of the orders that came.
struct OrderFigures {
  std::uint64_t refused = 0;  ///< since the start; not the last one once more, which the centre may repeat
  bool is_refused_lately = false;
  std::optional<Timestamp> key_since;  ///< OrderDesk::oldest_key
};

/// What comes from the broker as an order: nothing but what the desk found to be good goes on. One thread.
/// `clock` and `challenges` must outlive it.
class OrderIntake {
 public:
  OrderIntake(OrderDesk desk, const AgentClock& clock, const Challenges& challenges)
      : desk_{std::move(desk)}, clock_{clock}, challenges_{challenges} {
    note_key();
  }

  /// `text`: a signed order in base64. Nothing: it is refused, and told.
  std::optional<Order> take(const std::string& text);
  /// Of orders that came at once and were not looked at.
  void note_dropped(std::uint64_t count);
  /// What people are to know since the last call.
  std::vector<std::string> take_told() { return std::exchange(told_, {}); }
  /// From any thread.
  OrderFigures figures() const;

 private:
  void refuse(const std::string& why);
  void note_refusal();
  void note_key();

  OrderDesk desk_;
  const AgentClock& clock_;
  const Challenges& challenges_;
  std::vector<std::string> told_;
  Steady refusals_since_{};
  int refusals_ = 0;  // since then
  mutable std::mutex figures_mutex_;
  OrderFigures figures_;              // guarded by it
  std::optional<Steady> refused_at_;  // guarded by it
};

}  // namespace watchroom::agent
