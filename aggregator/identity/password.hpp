// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// What one guess costs an attacker. The default is RFC 9106 section 4, second recommended option, with one
/// lane: a log-in uses one core.
struct HashCost {
  std::uint32_t memory_kib = 64 * 1024;
  std::uint32_t passes = 3;
  std::uint32_t lanes = 1;
};

inline constexpr std::size_t shortest_password = 10;  ///< in characters
inline constexpr std::size_t longest_password = 256;  ///< in bytes

/// Long enough, not too long to hash, UTF-8, no control characters, not the name itself.
Result<void> check_password_rules(std::string_view name, std::string_view password);

/// "$argon2id$v=19$m=65536,t=3,p=1$…" with a random salt of 16 bytes. Slow on purpose.
Result<std::string> hash_password(std::string_view password, HashCost cost = {});
/// Slow on purpose. False for anything that is not an argon2id hash.
bool verify_password(std::string_view hash, std::string_view password);

/// Whether it is an argon2id hash that can be verified here (at most 1 GiB, 100 passes).
bool is_password_hash(std::string_view hash);

}  // namespace watchroom::aggregator
