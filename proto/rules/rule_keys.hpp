// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string_view>

#include "proto/base/settings.hpp"
#include "proto/rules/phase.hpp"

namespace watchroom {

/// Whether a rule for `pattern` watches a point. A pattern may hold *; one without brackets stands for the
/// kind's every instance: "ambient.temperature" is ambient[rack1].temperature too.
bool matches_point(std::string_view pattern, std::string_view point);

/// `on_delay_s` and `off_delay_s`.
Delays read_delays(const SettingsTable& table);

/// Whether points of `pattern` stand in the closed list, and why not otherwise.
std::string reason_unknown(std::string_view pattern);
/// `unit`: a limit is a number in the unit of its point, and says so. Only where it is in the closed list.
void check_unit(const SettingsTable& table, std::string_view pattern, bool has_unit);

}  // namespace watchroom
