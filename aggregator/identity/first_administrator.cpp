// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/first_administrator.hpp"

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/identity/users_file.hpp"
#include "proto/base/replace_file.hpp"

namespace watchroom::aggregator {

std::filesystem::path first_password_file(const std::filesystem::path& users_file) {
  return users_file.string() + ".first-password";
}

Result<bool> make_first_administrator(const std::filesystem::path& users_file) {
  std::error_code error;
  const auto status = std::filesystem::status(users_file, error);
  // Only when it is surely not there: a folder that cannot be read is not an empty one.
  if (status.type() != std::filesystem::file_type::not_found) return false;
  const std::string password = new_password();
  const auto hash = hash_password(password);
  if (!hash) return hash.error();
  // The password first: users without it would lock everybody out for ever.
  if (auto kept = replace_file(first_password_file(users_file), password + "\n"); !kept) return kept.error();
  auto made = edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    if (!content.users.empty()) return fail(Errc::conflict, Retry::never, "somebody else has just made it");
    UserEntry administrator;
    administrator.name = first_administrator_name;
    administrator.role = Role::administrator;
    administrator.password = *hash;
    administrator.must_change_password = true;
    content.users.push_back(std::move(administrator));
    return {};
  });
  if (!made) return made.error();
  return true;
}

void forget_first_password(const std::filesystem::path& users_file) {
  std::error_code ignored;
  std::filesystem::remove(first_password_file(users_file), ignored);
}

}  // namespace watchroom::aggregator
