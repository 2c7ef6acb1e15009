// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {

/// `reply`, a whole RTU frame as hex, and `address` of its first register.
DriverPart read_modbus_sample(const SettingsTable& table);
Result<NamedReadings> play_modbus_sample(const Profile& profile, const DriverPart& answer);

}  // namespace watchroom::agent
