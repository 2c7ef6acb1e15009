// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/users.hpp"

#include <sys/stat.h>

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"

namespace watchroom::aggregator {
namespace {

Person person_of(const UserEntry& user) { return {user.name, user.role, sha256_hex(user.password)}; }

}  // namespace

Users::Users(std::filesystem::path file, Log log) : file_{std::move(file)}, log_{log.tagged("users")} {}

void Users::load(Problems& problems) {
  const FileMark mark = look();
  const std::size_t before = problems.all().size();
  UsersFile content = UsersFile::load(file_, problems);
  if (problems.all().size() != before) return;
  if (content.users.empty())
    log_.warning("{} names no user, so nobody can log in; add one with `watchroom user add`", file_.string());
  const std::lock_guard lock{mutex_};
  content_ = std::move(content);
  mark_ = mark;
}

bool Users::reread_if_changed() {
  // Whoever comes while another reads waits for what it finds: a log-in right after a change must see it.
  const std::lock_guard one_reader{rereading_};
  const FileMark mark = look();
  {
    const std::lock_guard lock{mutex_};
    if (mark == mark_) return false;
    mark_ = mark;
  }
  Problems problems;
  UsersFile content = UsersFile::load(file_, problems);
  if (!problems.empty()) {
    log_.error("the users file changed and is wrong; the users known before stay in force:\n{}",
               problems.str());
    return false;
  }
  log_.info("the users file changed: {} users, {} tokens", content.users.size(), content.tokens.size());
  const std::lock_guard lock{mutex_};
  content_ = std::move(content);
  return true;
}

std::optional<Person> Users::with_password(std::string_view name, std::string_view password) const {
  std::string hash;
  std::optional<Person> person;
  {
    const std::lock_guard lock{mutex_};
    if (content_.users.empty()) return std::nullopt;
    const UserEntry* user = content_.find(name);
    if (user) person = person_of(*user);
    // Somebody else's hash stands in for an unknown name, so that the answer takes as long.
    hash = user ? user->password : content_.users.front().password;
  }
  const bool is_right = verify_password(hash, password);
  return is_right ? person : std::nullopt;
}

std::optional<Person> Users::with_token(std::string_view token_sha256) const {
  const std::lock_guard lock{mutex_};
  const TokenEntry* found = nullptr;
  for (const TokenEntry& entry : content_.tokens)
    if (equals_in_constant_time(entry.sha256, token_sha256)) found = &entry;
  const UserEntry* user = found ? content_.find(found->user) : nullptr;
  if (!user) return std::nullopt;
  return person_of(*user);
}

std::optional<Person> Users::named(std::string_view name) const {
  const std::lock_guard lock{mutex_};
  const UserEntry* user = content_.find(name);
  if (!user) return std::nullopt;
  return person_of(*user);
}

std::size_t Users::size() const {
  const std::lock_guard lock{mutex_};
  return content_.users.size();
}

Users::FileMark Users::look() const {
  struct stat status {};
  if (::stat(file_.c_str(), &status) != 0) return {};
  return {status.st_ino, status.st_size, status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

}  // namespace watchroom::aggregator
