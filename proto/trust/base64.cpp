// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/base64.hpp"

#include <mbedtls/base64.h>

namespace watchroom {
namespace {

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // mbedTLS ends it with a zero
  std::size_t size = 0;
  mbedtls_base64_encode(raw(text), text.size(), &size, raw(bytes), bytes.size());
  text.resize(size);
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;  // mbedTLS takes what is not padded
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  if (mbedtls_base64_decode(raw(bytes), bytes.size(), &size, raw(text), text.size()) != 0)
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

}  // namespace watchroom
