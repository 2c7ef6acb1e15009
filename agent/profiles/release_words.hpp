// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string_view>

namespace watchroom::agent {

/// What a text is said of. What is set is refused at a hint: gas, release, CO2. What is only read, and a
/// device as a whole, counts as extinguishing only by words that mean nothing else: a battery discharges too.
enum class SaidOf { what_is_set, what_is_read };

/// The word by which a text tells of extinguishing or of the release of its agent, however it is written:
/// capitals, blanks, hyphens and full width do not matter. Nothing: it does not.
std::optional<std::string_view> word_of_release(std::string_view text, SaidOf of);

}  // namespace watchroom::agent
