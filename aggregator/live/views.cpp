// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/live/views.hpp"

#include <array>

namespace watchroom::aggregator {
namespace {

constexpr std::array<std::string_view, 4> life_cycle_names{"normal", "unacknowledged", "acknowledged",
                                                           "returned_unacknowledged"};

}  // namespace

std::string_view name_of(AlarmLifeCycle state) { return life_cycle_names[static_cast<std::size_t>(state)]; }

std::string_view name_of(ClassRequest request) {
  switch (request) {
    case ClassRequest::none: return "none";
    case ClassRequest::pending: return "pending";
    case ClassRequest::not_carried_out: return "not_carried_out";
  }
  return "none";
}

std::optional<AlarmLifeCycle> life_cycle_named(std::string_view name) {
  for (std::size_t i = 0; i < life_cycle_names.size(); ++i)
    if (life_cycle_names[i] == name) return static_cast<AlarmLifeCycle>(i);
  return std::nullopt;
}

}  // namespace watchroom::aggregator
