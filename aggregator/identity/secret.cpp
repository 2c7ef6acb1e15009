// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/secret.hpp"

#include <cerrno>
#include <cstdlib>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

namespace watchroom::aggregator {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::getrandom(bytes.data() + done, count - done, 0);
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4];
    hex += digits[byte & 0xf];
  }
  return hex;
}

std::string sha256_hex(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return to_hex(digest);
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string new_session_id() { return to_hex(random_bytes(32)); }
std::string new_token() { return "wr_" + to_hex(random_bytes(32)); }

std::string new_password() {
  // 56 characters; bytes from 224 on are drawn again, so that each is as likely as the others.
  constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
  static_assert(letters.size() == 56);
  std::string password;
  while (password.size() < 20) {
    const auto byte = static_cast<unsigned char>(random_bytes(1)[0]);
    if (byte < 4 * letters.size()) password += letters[byte % letters.size()];
  }
  return password;
}

}  // namespace watchroom::aggregator
