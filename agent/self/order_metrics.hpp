// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>

#include "agent/self/figures.hpp"

namespace watchroom::agent {

// What metrics.cpp tells of the orders that came.

std::optional<double> orders_state(const SelfFigures& figures);
std::optional<double> orders_refused(const SelfFigures& figures);
std::optional<double> orders_key_since(const SelfFigures& figures);

}  // namespace watchroom::agent
