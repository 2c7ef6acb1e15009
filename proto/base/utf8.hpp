// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace watchroom {

/// Takes the first code point off `text`. Nothing when it does not begin with well-formed UTF-8 (RFC 3629: no
/// overlong forms, no surrogates); one byte is taken off then.
std::optional<char32_t> take_character(std::string_view& text);

/// Nothing when it is not UTF-8 throughout.
std::optional<std::size_t> count_of_characters(std::string_view text);
/// C0, DEL, C1, and those that reorder what is shown (Unicode 15 table 23-3).
bool is_control_character(char32_t character);
bool has_control_characters(std::string_view text);
/// Text from elsewhere made harmless: what is not UTF-8 and what a terminal or a reading eye would obey
/// becomes U+FFFD.
std::string printable(std::string_view text);
/// JSON text with them as \u escapes, so that a terminal or an editor that shows it obeys none of them.
std::string without_controls_in_json(std::string_view json);

}  // namespace watchroom
