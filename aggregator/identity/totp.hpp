// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// One-time codes (RFC 6238: HMAC-SHA-1, 30 s, six digits), as every authenticator application makes them.

/// 160 random bits in base32 (RFC 4648 section 6), as users.toml and the applications have it.
std::string new_totp_secret();
/// Whether it is base32 of 128 to 512 bits.
bool is_totp_secret(std::string_view base32);
std::string totp_code(std::string_view base32, std::int64_t step);
std::int64_t totp_step(Timestamp at);
/// "otpauth://totp/Watchroom:li?secret=…": what the application reads from a QR code.
std::string totp_uri(std::string_view user, std::string_view base32);

/// The step whose code this is: now, the one before or the one after, for clocks that differ.
std::optional<std::int64_t> step_of_code(std::string_view base32, std::string_view code, Timestamp now);

/// Lets each code be used once (RFC 6238 section 5.2). In memory: after a restart a code that was seen may be
/// used again for a minute, but not without the password. Thread-safe.
class UsedCodes {
 public:
  /// Whether the code is right and was not used; it is used now.
  bool use(const std::string& user, std::string_view base32, std::string_view code, Timestamp now);

 private:
  std::mutex mutex_;
  std::map<std::string, std::int64_t> last_step_;  // under mutex_; of the user's last right code
};

}  // namespace watchroom::aggregator
