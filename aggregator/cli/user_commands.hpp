// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "aggregator/cli/console.hpp"
#include "aggregator/identity/roles.hpp"

/// `watchroom user …`: works on the users file itself, so it needs no server and no log-in, only the right to
/// write the file.
namespace watchroom::cli {

/// Where a new password comes from. Neither: somebody types it, unseen.
struct PasswordSource {
  std::string file;
  bool generate = false;
};

int add_user(const Console& console, const std::string& users_file, const std::string& name,
             aggregator::Role role, const PasswordSource& source);
int change_password(const Console& console, const std::string& users_file, const std::string& name,
                    const PasswordSource& source);
int remove_user(const Console& console, const std::string& users_file, const std::string& name);
int list_users(const Console& console, const std::string& users_file);
/// Writes the token to `token_file`, which must not exist yet, and its hash to the users file.
int add_token(const Console& console, const std::string& users_file, const std::string& user,
              const std::string& token_name, const std::string& token_file);
int revoke_token(const Console& console, const std::string& users_file, const std::string& user,
                 const std::string& token_name);

}  // namespace watchroom::cli
