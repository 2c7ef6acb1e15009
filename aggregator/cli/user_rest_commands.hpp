// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "aggregator/cli/client.hpp"
#include "aggregator/cli/user_commands.hpp"

/// `watchroom user …` without --users-file: an administrator asks the aggregator.
namespace watchroom::cli::rest {

int list_users(const Client& client, const Console& console);
int add_user(const Client& client, const Console& console, const std::string& name, const Wishes& wishes);
int change_user(const Client& client, const Console& console, const std::string& name, const Wishes& wishes);
int reset_password(const Client& client, const Console& console, const std::string& name);
int remove_user(const Client& client, const Console& console, const std::string& name);
/// Writes the token to `token_file`, which must not exist yet. When it cannot be written the token is ended.
int add_token(const Client& client, const Console& console, const std::string& user,
              const std::string& token_name, const std::string& token_file, const Wishes& wishes);
int revoke_token(const Client& client, const Console& console, const std::string& user,
                 const std::string& token_name);
int end_totp(const Client& client, const Console& console, const std::string& name);

}  // namespace watchroom::cli::rest
