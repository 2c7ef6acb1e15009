// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/readable_text.hpp"

namespace watchroom::agent {
namespace {

constexpr std::size_t longest = 200;

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
}

/// Bytes of the UTF-8 character that starts at `at` (RFC 3629 4); 0: none does.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  std::size_t length = 0;
  if (first >= 0xc2 && first <= 0xdf) length = 2;
  if (first >= 0xe0 && first <= 0xef) length = 3;
  if (first >= 0xf0 && first <= 0xf4) length = 4;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte_at(text, at + i) & 0xc0u) != 0x80u) return 0;
  const unsigned second = byte_at(text, at + 1);
  const bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool is_outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return is_overlong || is_outside ? 0 : length;
}

}  // namespace

std::string readable_text(std::string_view bytes) {
  while (!bytes.empty() &&
         (bytes.back() == '\0' || bytes.back() == ' ' || bytes.back() == '\r' || bytes.back() == '\n'))
    bytes.remove_suffix(1);
  std::string text;
  for (std::size_t at = 0; at < bytes.size() && text.size() < longest;) {
    const unsigned byte = byte_at(bytes, at);
    if (const std::size_t length = utf8_length(bytes, at); length > 0) {
      text += bytes.substr(at, length);
      at += length;
    } else {
      text += byte >= 0x20 && byte < 0x7f ? bytes[at] : '?';
      ++at;
    }
  }
  return text;
}

}  // namespace watchroom::agent
