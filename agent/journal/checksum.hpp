// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <zlib.h>

namespace watchroom::agent {

/// CRC-32 (ISO 3309, as in zip) over several parts. Tells rows that went bad on the flash from good ones:
/// SQLite itself checks its structure, not what is in it.
class Checksum {
 public:
  /// A part counts with its length: "ab", "c" is not "a", "bc".
  Checksum& add(std::string_view bytes) {
    add_bytes(reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    return add(bytes.size());
  }
  Checksum& add(std::uint64_t number) {
    std::array<Bytef, 8> bytes{};  // the lowest first, on every machine
    for (Bytef& byte : bytes) {
      byte = static_cast<Bytef>(number);
      number >>= 8;
    }
    return add_bytes(bytes.data(), bytes.size());
  }
  std::int64_t value() const { return static_cast<std::int64_t>(sum_); }

 private:
  Checksum& add_bytes(const Bytef* bytes, std::size_t size) {
    if (size > 0) sum_ = crc32_z(sum_, bytes, size);  // of no bytes at a null address it begins anew
    return *this;
  }
  uLong sum_ = 0;
};

}  // namespace watchroom::agent
