// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/identity/reach.hpp"
#include "aggregator/identity/roles.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::aggregator {

struct UserEntry {
  std::string name;
  Role role = Role::viewer;
  std::string password;                   ///< an argon2id hash in its usual text form
  std::vector<std::string> domains = {};  ///< see `is_domain`; none: the whole house
  bool must_change_password = false;      ///< until then nothing else is possible
  std::string totp = {};                  ///< secret of the one-time codes; empty: none are asked for
  bool operator==(const UserEntry&) const = default;
};

struct TokenEntry {
  std::string name;
  std::string user;
  std::string sha256;  ///< of the token's text, hex
  // Each only takes away from what its user may do.
  std::optional<Role> role = {};
  std::vector<Action> actions = {};       ///< none: all that the roles allow
  std::vector<std::string> domains = {};  ///< none: those of the user
  std::optional<Timestamp> expires = {};
  bool operator==(const TokenEntry&) const = default;
};

/// users.toml: who there is. Written by `watchroom user` only; comments in it are not kept.
struct UsersFile {
  std::vector<UserEntry> users;
  std::vector<TokenEntry> tokens;

  const UserEntry* find(std::string_view name) const;
  std::string to_toml() const;
  bool operator==(const UsersFile&) const = default;

  /// Nothing useful in it when `problems` grew.
  static UsersFile load(const std::filesystem::path& file, Problems& problems);
  static UsersFile read(const SettingsTable& table);
};

/// 1 to 64 bytes of UTF-8 without control characters and without blanks at either end.
bool is_user_name(std::string_view name);

inline constexpr int default_token_days = 90, most_token_days = 3650;

/// Whether the token asks for nothing that its user may not do. Domains are not looked at: what is outside
/// the user's is cut off whenever the token is used.
Result<void> check_token(const UserEntry& user, const TokenEntry& token);

/// Reads, lets `change` change, and replaces the file whole (mode 0600, the owner is kept); one writer at a
/// time on this machine. A missing file is an empty one. Nothing is written when `change` fails, or when it
/// leaves no administrator of the whole house where there was one (`Errc::conflict`): somebody must be able
/// to mend what goes wrong.
Result<void> edit_users_file(const std::filesystem::path& file,
                             const std::function<Result<void>(UsersFile&)>& change);

}  // namespace watchroom::aggregator
