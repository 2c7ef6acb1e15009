// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace watchroom::aggregator {

/// Bytes nobody can guess (getrandom(2)). Aborts when the kernel has none: nothing here is safe then.
std::string random_bytes(std::size_t count);

std::string to_hex(std::string_view bytes);
/// SHA-256 in hex. Enough to store a random 256-bit secret by; passwords go through argon2id.
std::string sha256_hex(std::string_view text);
/// In a time that depends on the lengths only.
bool equals_in_constant_time(std::string_view a, std::string_view b);

/// 256 random bits in hex, for sessions.
std::string new_session_id();
/// "wr_" and 256 random bits in hex: the prefix lets scanners find a token that leaked.
std::string new_token();
/// A password to be shown once: 20 characters without look-alikes, more than 110 bits.
std::string new_password();

}  // namespace watchroom::aggregator
