// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/totp.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "aggregator/identity/secret.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::string_view base32_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::int64_t step_ms = 30'000;
constexpr unsigned code_digits = 1'000'000;

std::string to_base32(std::string_view bytes) {
  std::string text;
  unsigned held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = (held << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) text += base32_digits[(held >> (bits - 5)) & 31u];
  }
  if (bits > 0) text += base32_digits[(held << (5 - bits)) & 31u];
  return text;
}

std::optional<std::string> from_base32(std::string_view text) {
  std::string bytes;
  unsigned held = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = base32_digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    held = (held << 5) | static_cast<unsigned>(digit);
    bits += 5;
    if (bits >= 8) bytes += static_cast<char>((held >> (bits -= 8)) & 0xffu);
  }
  return bytes;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '.' || c == '_' || c == '~';
    out += is_plain ? std::string{c} : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

std::string new_totp_secret() { return to_base32(random_bytes(20)); }

bool is_totp_secret(std::string_view base32) {
  return base32.size() >= 26 && base32.size() <= 103 && from_base32(base32).has_value();
}

std::string totp_code(std::string_view base32, std::int64_t step) {
  const std::string key = from_base32(base32).value_or("");
  std::string counter(8, '\0');
  for (int i = 0; i < 8; ++i) counter[static_cast<std::size_t>(i)] = static_cast<char>(step >> (56 - 8 * i));
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (!HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(counter.data()), counter.size(), mac, &length))
    std::abort();
  // Dynamic truncation: RFC 4226 section 5.3.
  const unsigned at = mac[length - 1] & 0xfu;
  const std::uint32_t value = (mac[at] & 0x7fu) << 24 | static_cast<std::uint32_t>(mac[at + 1]) << 16 |
                              static_cast<std::uint32_t>(mac[at + 2]) << 8 | mac[at + 3];
  return fmt::format("{:06}", value % code_digits);
}

std::int64_t totp_step(Timestamp at) { return to_ms(at) / step_ms; }

std::string totp_uri(std::string_view user, std::string_view base32) {
  return fmt::format(
      "otpauth://totp/Watchroom:{}?secret={}&issuer=Watchroom&algorithm=SHA1&digits=6&period=30",
      percent_encoded(user), base32);
}

std::optional<std::int64_t> step_of_code(std::string_view base32, std::string_view code, Timestamp now) {
  std::optional<std::int64_t> found;
  // All three are compared whatever the first says, so that the time tells nothing.
  for (const std::int64_t drift : {-1, 1, 0}) {
    const std::int64_t step = totp_step(now) + drift;
    if (equals_in_constant_time(totp_code(base32, step), code)) found = step;
  }
  return found;
}

bool UsedCodes::use(const std::string& user, std::string_view base32, std::string_view code, Timestamp now) {
  const auto step = step_of_code(base32, code, now);
  if (!step) return false;
  const std::lock_guard lock{mutex_};
  const auto [last, is_first] = last_step_.try_emplace(user, *step);
  if (is_first) return true;
  // A wall clock that went back far must not lock anybody out: such a step is long past.
  const bool is_far_ahead = last->second > totp_step(now) + 1;
  if (*step <= last->second && !is_far_ahead) return false;
  last->second = *step;
  return true;
}

}  // namespace watchroom::aggregator
