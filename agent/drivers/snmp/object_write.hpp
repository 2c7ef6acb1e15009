// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/drivers/driver.hpp"
#include "agent/drivers/snmp/session.hpp"

namespace watchroom::agent {

/// What is to be written so that a point reads `value`. Refuses a state it does not have, a number that is
/// not plausible, does not fit or lies between two steps of the device.
Result<std::int64_t> content_for(const PointSource& source, const Value& value);

/// Sets a writable point; what is read back is still to be filled in. An error: the device did not do it.
Result<WriteOutcome> set_object(SnmpSession& session, const PointSource& source, const Value& value);

/// Whether what was read is what was to be written.
bool is_alike(const Reading& reading, const Value& wanted);

}  // namespace watchroom::agent
