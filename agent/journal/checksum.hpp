// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace watchroom::agent {

/// CRC-32 (ISO 3309, as in zip) over several parts. Tells rows that went bad on the flash from good ones:
/// SQLite itself checks its structure, not what is in it.
class Checksum {
 public:
  /// A part counts with its length: "ab", "c" is not "a", "bc".
  Checksum& add(std::string_view bytes) {
    add_bytes(bytes);
    return add(bytes.size());
  }
  Checksum& add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<std::uint8_t>(number >> shift));
    return *this;
  }
  std::int64_t value() const { return state_ ^ 0xFFFFFFFFu; }

 private:
  static constexpr std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < made.size(); ++i) {
      std::uint32_t entry = i;
      for (int bit = 0; bit < 8; ++bit) entry = entry & 1 ? 0xEDB88320u ^ (entry >> 1) : entry >> 1;
      made[i] = entry;
    }
    return made;
  }();

  void add_bytes(std::string_view bytes) {
    for (const char c : bytes) add_byte(static_cast<std::uint8_t>(c));
  }
  void add_byte(std::uint8_t byte) { state_ = table[(state_ ^ byte) & 0xFF] ^ (state_ >> 8); }

  std::uint32_t state_ = 0xFFFFFFFFu;
};

}  // namespace watchroom::agent
