// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace watchroom::aggregator {

/// Takes the first code point off `text`. Nothing when it does not begin with well-formed UTF-8 (RFC 3629: no
/// overlong forms, no surrogates); one byte is taken off then.
std::optional<char32_t> take_character(std::string_view& text);

/// Nothing when it is not UTF-8 throughout.
std::optional<std::size_t> count_of_characters(std::string_view text);
/// C0, DEL, C1, and those that reorder what is shown (Unicode 15 table 23-3).
bool is_control_character(char32_t character);
bool has_control_characters(std::string_view text);

}  // namespace watchroom::aggregator
