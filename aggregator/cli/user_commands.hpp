// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <vector>

#include "aggregator/cli/console.hpp"
#include "aggregator/identity/roles.hpp"
#include "aggregator/identity/users_file.hpp"

/// `watchroom user …`: works on the users file itself, so it needs no server and no log-in, only the right to
/// write the file.
namespace watchroom::cli {

/// Where a new password comes from. Neither: somebody types it, unseen.
struct PasswordSource {
  std::string file;
  bool generate = false;
};

/// What a user or a token is to be; what is empty is left as it is.
struct Wishes {
  std::string role;
  std::vector<std::string> domains;
  bool everywhere = false;                    ///< no domains any more
  bool must_change = false;                   ///< the password at the next log-in
  std::vector<std::string> actions;           ///< of a token
  int days = aggregator::default_token_days;  ///< a token's life
};

int add_user(const Console& console, const std::string& users_file, const std::string& name,
             const Wishes& wishes, const PasswordSource& source);
int change_user(const Console& console, const std::string& users_file, const std::string& name,
                const Wishes& wishes);
int change_password(const Console& console, const std::string& users_file, const std::string& name,
                    const Wishes& wishes, const PasswordSource& source);
int remove_user(const Console& console, const std::string& users_file, const std::string& name);
int list_users(const Console& console, const std::string& users_file);
/// Shows a new secret as an address and a QR code; one-time codes are asked for once one of them was typed.
int begin_totp(const Console& console, const std::string& users_file, const std::string& name);
int end_totp(const Console& console, const std::string& users_file, const std::string& name);
/// Writes the token to `token_file`, which must not exist yet, and its hash to the users file.
int add_token(const Console& console, const std::string& users_file, const std::string& user,
              const std::string& token_name, const std::string& token_file, const Wishes& wishes);
int revoke_token(const Console& console, const std::string& users_file, const std::string& user,
                 const std::string& token_name);

}  // namespace watchroom::cli
