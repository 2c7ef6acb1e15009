// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/self/metrics.hpp"

namespace watchroom::agent {

// What metrics.cpp tells of buses and traps.

void devices_of_buses(const SelfFigures& figures, MetricValues& told);
void polls_of_buses(const SelfFigures& figures, MetricValues& told);
void traps_by_result(const SelfFigures& figures, MetricValues& told);

}  // namespace watchroom::agent
