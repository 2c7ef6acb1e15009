// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/order_metrics.hpp"

namespace watchroom::agent {

std::optional<double> orders_state(const SelfFigures& figures) {
  return figures.orders.is_refused_lately ? 1 : 0;
}

std::optional<double> orders_refused(const SelfFigures& figures) {
  return static_cast<double>(figures.orders.refused);
}

std::optional<double> orders_key_since(const SelfFigures& figures) {
  if (!figures.orders.key_since) return std::nullopt;
  return static_cast<double>(to_ms(*figures.orders.key_since) / 1000);
}

}  // namespace watchroom::agent
