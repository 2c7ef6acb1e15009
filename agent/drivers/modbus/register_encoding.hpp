// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/drivers/modbus/register_image.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// The registers, or the bit, that make a writable point read `value`: the exact inverse of
/// RegisterImage::read. `factor` is what the registers for decimals and factor say. Refuses what the point
/// may not become: a state it does not have, a number that is not plausible, does not fit, or lies between
/// two steps of the device.
Result<std::vector<std::uint16_t>> encode_value(const RegisterSource& source, const Conversion& conversion,
                                                const Value& value, double factor);

}  // namespace watchroom::agent
