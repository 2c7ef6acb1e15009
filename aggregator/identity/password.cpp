// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/password.hpp"

#include <cstdio>
#include <vector>

#include <argon2.h>

#include "aggregator/identity/secret.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::size_t salt_bytes = 16;  // RFC 9106 section 3.1: recommended for passwords
constexpr std::size_t tag_bytes = 32;

}  // namespace

Result<void> check_password_rules(std::string_view name, std::string_view password) {
  const auto characters = count_of_characters(password);
  if (!characters) return fail(Errc::invalid, Retry::never, "the password is not valid UTF-8");
  if (has_control_characters(password))
    return fail(Errc::invalid, Retry::never, "the password contains control characters");
  if (*characters < shortest_password)
    return fail(Errc::invalid, Retry::never, "the password has {} characters, expected {} or more",
                *characters, shortest_password);
  if (password.size() > longest_password)
    return fail(Errc::invalid, Retry::never, "the password has {} bytes, expected {} or fewer",
                password.size(), longest_password);
  if (password == name) return fail(Errc::invalid, Retry::never, "the password is the user's name");
  return {};
}

Result<std::string> hash_password(std::string_view password, HashCost cost) {
  const std::string salt = random_bytes(salt_bytes);
  std::vector<char> encoded(
      argon2_encodedlen(cost.passes, cost.memory_kib, cost.lanes, salt_bytes, tag_bytes, Argon2_id));
  const int result =
      argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes, password.data(), password.size(),
                            salt.data(), salt.size(), tag_bytes, encoded.data(), encoded.size());
  if (result != ARGON2_OK) return fail(Errc::io, Retry::later, "argon2id: {}", argon2_error_message(result));
  return std::string{encoded.data()};
}

bool verify_password(std::string_view hash, std::string_view password) {
  if (!is_password_hash(hash) || password.size() > longest_password) return false;
  const std::string owned{hash};
  return argon2id_verify(owned.c_str(), password.data(), password.size()) == ARGON2_OK;
}

bool is_password_hash(std::string_view hash) {
  const std::string owned{hash};
  unsigned version = 0, memory_kib = 0, passes = 0, lanes = 0;
  int used = 0;
  if (hash.size() > 200 ||
      std::sscanf(owned.c_str(), "$argon2id$v=%3u$m=%8u,t=%4u,p=%3u$%n", &version, &memory_kib, &passes,
                  &lanes, &used) != 4 ||
      used == 0)
    return false;
  const std::string_view rest = hash.substr(static_cast<std::size_t>(used));
  const auto dollar = rest.find('$');
  return version == ARGON2_VERSION_13 && memory_kib >= 8 * lanes && memory_kib <= 1024 * 1024 &&
         passes >= 1 && passes <= 100 && lanes >= 1 && lanes <= 64 && dollar != std::string_view::npos &&
         dollar >= 11 && rest.size() - dollar > 16 &&
         rest.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/$") ==
             std::string_view::npos;
}

}  // namespace watchroom::aggregator
