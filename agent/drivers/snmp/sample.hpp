// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {

/// `varbinds`: numeric OID = value.
DriverPart read_snmp_sample(const SettingsTable& table);
/// Its rows are found in it as they are in a device.
Result<NamedReadings> play_snmp_sample(const Profile& profile, const DriverPart& answer);

}  // namespace watchroom::agent
