// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/base64.hpp"

#include <algorithm>
#include <cstdint>

namespace watchroom {
namespace {

constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view for_urls = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encoded(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (std::size_t i = 0; i <= count; ++i) text += alphabet[group >> (18 - 6 * i) & 63];
  }
  return text;
}

/// Characters of the alphabet only; bits left over must be 0, so that each value has one spelling.
std::optional<std::string> decoded(std::string_view text, std::string_view alphabet) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos || c == '\0') return std::nullopt;
    held = held << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xff);
    held &= (1u << bits) - 1;
  }
  if (held != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  constexpr std::size_t line = 64;
  std::string text = encoded(bytes, standard);
  while (text.size() % 4 != 0) text += '=';
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += line) lines += text.substr(at, line) + "\n";
  return lines;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') plain += c;
  if (plain.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && plain.ends_with('='); ++i) plain.pop_back();
  return decoded(plain, standard);
}

std::string to_base64url(std::string_view bytes) { return encoded(bytes, for_urls); }
std::optional<std::string> from_base64url(std::string_view text) { return decoded(text, for_urls); }

}  // namespace watchroom
