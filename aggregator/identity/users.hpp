// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "aggregator/audit/audit_trail.hpp"
#include "aggregator/identity/reach.hpp"
#include "aggregator/identity/roles.hpp"
#include "aggregator/identity/users_file.hpp"
#include "proto/base/log.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::aggregator {

/// Somebody who has proved who they are.
struct Person {
  std::string name;
  Role role = Role::viewer;
  /// Changes with the password and the one-time codes, so that what was opened with the old ones can be
  /// ended.
  std::string credential_mark = {};
  Reach reach = {};
  bool must_change_password = false;
  std::string totp = {};  ///< secret of the one-time codes; empty: none are asked for
  // Of a token; they only take away.
  std::string token = {};  ///< its name; empty: no token
  std::optional<Role> token_role = {};
  std::optional<std::set<Action>> scope = {};
  std::optional<Timestamp> token_expires = {};

  bool may(Action action) const;
  /// For the audit log: "li", "token li/grafana".
  std::string audit_name() const;
};

/// Who may come in, as the users file says now. Thread-safe. A file that breaks while the aggregator runs
/// leaves the people known before in force, and an error in the log. What changes goes to the audit trail.
class Users {
 public:
  /// `audit` must outlive it.
  Users(std::filesystem::path file, Log log, Regions regions = {}, AuditTrail* audit = nullptr);

  /// For the start: everything wrong with the file goes to `problems`.
  void load(Problems& problems);
  /// Looks whether the file changed; cheap when it did not. True when other users are in force now.
  bool reread_if_changed();

  /// Takes as long for an unknown name as for a wrong password: tens to hundreds of milliseconds and the
  /// memory argon2id asks for. Never on an I/O thread.
  std::optional<Person> with_password(std::string_view name, std::string_view password) const;
  /// Nothing for a token that has expired at `now`.
  std::optional<Person> with_token(std::string_view token_sha256, Timestamp now);
  /// As the file says now, without proof.
  std::optional<Person> named(std::string_view name) const;

  /// Changes the file on behalf of `by`, who asks from `from`; in force when it returns. Waits for the disk.
  Result<void> edit(const std::string& by, const std::string& from,
                    const std::function<Result<void>(UsersFile&)>& change);

  UsersFile content() const;
  /// By the token's SHA-256; since the start.
  std::map<std::string, Timestamp> last_uses() const;
  const std::filesystem::path& file() const { return file_; }
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
  Person person_of(const UserEntry& user) const;
  bool reread(const std::string& by, const std::string& from);
  void warn_of_regions(const UsersFile& content) const;

  const std::filesystem::path file_;
  const Log log_;
  const Regions regions_;
  AuditTrail* const audit_;
  std::mutex rereading_;  // before mutex_
  mutable std::mutex mutex_;
  UsersFile content_;                           // under mutex_
  FileMark mark_;                               // under mutex_
  std::map<std::string, Timestamp> last_uses_;  // under mutex_
};

/// What changed from one state of the file to another, as entries of the audit log; never a secret.
std::vector<AuditEvent> changes_between(const UsersFile& before, const UsersFile& after);

}  // namespace watchroom::aggregator
