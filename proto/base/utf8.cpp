// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/utf8.hpp"

#include <fmt/format.h>

namespace watchroom {

std::optional<char32_t> take_character(std::string_view& text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  const std::size_t length = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  char32_t character = lead & (0x7fu >> length);
  bool is_good = length != 0 && lead < 0xf5 && text.size() >= length;
  for (std::size_t i = 1; is_good && i < length; ++i) {
    is_good = (byte(i) & 0xc0) == 0x80;
    character = (character << 6) | (byte(i) & 0x3f);
  }
  is_good = is_good && !(length == 3 && character < 0x800) && !(length == 4 && character < 0x10000) &&
            !(character >= 0xd800 && character <= 0xdfff) && character <= 0x10ffff;
  text.remove_prefix(is_good ? length : 1);
  if (!is_good) return std::nullopt;
  return character;
}

std::optional<std::size_t> count_of_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count)
    if (!take_character(text)) return std::nullopt;
  return count;
}

bool is_control_character(char32_t character) {
  return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
         (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069) ||
         character == 0x200e || character == 0x200f || character == 0x061c || character == 0x2028 ||
         character == 0x2029;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view before = text;
    const auto character = take_character(text);
    if (character && !is_control_character(*character))
      out += before.substr(0, before.size() - text.size());
    else
      out += "\ufffd";
  }
  return out;
}

std::string without_controls_in_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const std::string_view before = json;
    const auto character = take_character(json);
    // Below U+0020 JSON has only the blanks between its parts.
    if (character && *character >= 0x20 && is_control_character(*character))
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(*character));
    else
      out += before.substr(0, before.size() - json.size());
  }
  return out;
}

bool has_control_characters(std::string_view text) {
  while (!text.empty())
    if (const auto character = take_character(text); character && is_control_character(*character))
      return true;
  return false;
}

}  // namespace watchroom
