// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/packing.hpp"

#include <array>

#include <zlib.h>

namespace watchroom::agent {
namespace {

// Small windows: the memory of a packer is 24 kB, and payloads of more than 4 kB repeat themselves soon.
constexpr int window_bits = -12;  // negative: without zlib's own header and checksum
constexpr int memory_level = 4;
constexpr std::size_t most_unpacked_bytes = 64ull << 20;

Bytef* bytes_of(std::string_view text) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));  // zlib only reads it
}

}  // namespace

std::optional<std::string> pack(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return std::nullopt;
  std::string packed(bytes.size(), '\0');
  stream.next_in = bytes_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = bytes_of(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool is_smaller = deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out > 0;
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return is_smaller ? std::optional{std::move(packed)} : std::nullopt;
}

std::optional<std::string> unpack(std::string_view packed) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return std::nullopt;
  stream.next_in = bytes_of(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string bytes;
  std::array<Bytef, 4096> part{};
  int state = Z_OK;
  while (state == Z_OK && bytes.size() <= most_unpacked_bytes) {
    stream.next_out = part.data();
    stream.avail_out = part.size();
    state = inflate(&stream, Z_NO_FLUSH);
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size() - stream.avail_out);
  }
  const bool is_whole = state == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  return is_whole ? std::optional{std::move(bytes)} : std::nullopt;
}

}  // namespace watchroom::agent
