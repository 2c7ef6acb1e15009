// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "aggregator/identity/roles.hpp"
#include "aggregator/identity/users_file.hpp"
#include "proto/base/log.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::aggregator {

/// Somebody who has proved who they are.
struct Person {
  std::string name;
  Role role = Role::viewer;
  /// Changes with the password, so that what was opened with the old one can be ended.
  std::string credential_mark;
};

/// Who may come in, as the users file says now. Thread-safe. A file that breaks while the aggregator runs
/// leaves the people known before in force, and an error in the log.
class Users {
 public:
  Users(std::filesystem::path file, Log log);

  /// For the start: everything wrong with the file goes to `problems`.
  void load(Problems& problems);
  /// Looks whether the file changed; cheap when it did not. True when other users are in force now.
  bool reread_if_changed();

  /// Takes as long for an unknown name as for a wrong password: tens to hundreds of milliseconds and the
  /// memory argon2id asks for. Never on an I/O thread.
  std::optional<Person> with_password(std::string_view name, std::string_view password) const;
  std::optional<Person> with_token(std::string_view token_sha256) const;
  /// As the file says now, without proof.
  std::optional<Person> named(std::string_view name) const;

  std::size_t size() const;

 private:
  /// What tells one state of the file from another; the i-node changes when it is replaced whole.
  struct FileMark {
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t modified_ns = 0;
    bool operator==(const FileMark&) const = default;
  };
  FileMark look() const;

  const std::filesystem::path file_;
  Log log_;
  std::mutex rereading_;  // before mutex_
  mutable std::mutex mutex_;
  UsersFile content_;  // under mutex_
  FileMark mark_;      // under mutex_
};

}  // namespace watchroom::aggregator
