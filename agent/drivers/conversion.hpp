// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <variant>

#include "agent/profiles/profile.hpp"
#include "proto/base/clock.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::agent {

/// A number as a device sent it.
using RawNumber = std::variant<std::int64_t, double>;

/// A float's shortest decimal as a double: 23.1, not 23.100000381.
double widened(float value);

/// What raw number gives `value`, not yet rounded: the inverse of what to_reading does.
double unscaled(double value, const Conversion& conversion, double factor);

/// The reading that a raw number makes. `factor` is what a neighbouring register said,
/// `more_offset` likewise. Bad when it is marked
/// invalid, not a number, or outside what is plausible.
Reading to_reading(const RawNumber& raw, const Conversion& conversion, Timestamp at, double factor = 1.0,
                   double more_offset = 0.0);

Reading bad_reading(Timestamp at);

}  // namespace watchroom::agent
