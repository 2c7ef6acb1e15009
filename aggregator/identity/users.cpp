// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/users.hpp"

#include <sys/stat.h>

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"

namespace watchroom::aggregator {

bool Person::may(Action action) const {
  if (scope && !scope->contains(action)) return false;
  // Both: a token must not keep what its user has lost.
  return aggregator::may(role, action) && (!token_role || aggregator::may(*token_role, action));
}

std::string Person::audit_name() const {
  return token.empty() ? name : fmt::format("token {}/{}", name, token);
}

Users::Users(std::filesystem::path file, Log log, Regions regions, AuditTrail* audit)
    : file_{std::move(file)}, log_{log.tagged("users")}, regions_{std::move(regions)}, audit_{audit} {}

void Users::load(Problems& problems) {
  const FileMark mark = look();
  const std::size_t before = problems.all().size();
  UsersFile content = UsersFile::load(file_, problems);
  if (problems.all().size() != before) return;
  if (content.users.empty())
    log_.warning("{} names no user, so nobody can log in; add one with `watchroom user add`", file_.string());
  warn_of_regions(content);
  const std::lock_guard lock{mutex_};
  content_ = std::move(content);
  mark_ = mark;
}

bool Users::reread_if_changed() {
  // Whoever comes while another reads waits for what it finds: a log-in right after a change must see it.
  const std::lock_guard one_reader{rereading_};
  return reread("users file", "");
}

/// Under rereading_.
bool Users::reread(const std::string& by, const std::string& from) {
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
  warn_of_regions(content);
  std::vector<AuditEvent> changes;
  {
    const std::lock_guard lock{mutex_};
    changes = changes_between(content_, content);
    content_ = std::move(content);
  }
  for (AuditEvent& change : changes) {
    change.who = by;
    change.from = from;
    if (audit_) audit_->record(std::move(change));
  }
  return true;
}

Result<void> Users::edit(const std::string& by, const std::string& from,
                         const std::function<Result<void>(UsersFile&)>& change) {
  const std::lock_guard one_reader{rereading_};
  // What somebody else changed just before is theirs, not `by`'s.
  reread("users file", "");
  if (auto edited = edit_users_file(file_, change); !edited) return edited;
  reread(by, from);
  return {};
}

/// A typing error must hide a room from somebody, not keep the centre from starting.
void Users::warn_of_regions(const UsersFile& content) const {
  constexpr std::string_view region = "region:";
  const auto look_at = [&](const std::string& who, const std::vector<std::string>& domains) {
    for (const std::string_view domain : domains)
      if (domain.starts_with(region) && !regions_.contains(domain.substr(region.size())))
        log_.warning("{} is limited to {}, but no [[region]] of aggregator.toml has this name", who, domain);
  };
  for (const UserEntry& user : content.users) look_at("user " + user.name, user.domains);
  for (const TokenEntry& token : content.tokens)
    look_at(fmt::format("token {}/{}", token.user, token.name), token.domains);
}

Person Users::person_of(const UserEntry& user) const {
  Person person{user.name, user.role};
  person.credential_mark = sha256_hex(user.password + "\n" + user.totp);
  person.reach = Reach::of(user.domains, regions_);
  person.must_change_password = user.must_change_password;
  person.totp = user.totp;
  return person;
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

std::optional<Person> Users::with_token(std::string_view token_sha256, Timestamp now) {
  const std::lock_guard lock{mutex_};
  const TokenEntry* found = nullptr;
  for (const TokenEntry& entry : content_.tokens)
    if (equals_in_constant_time(entry.sha256, token_sha256)) found = &entry;
  const UserEntry* user = found ? content_.find(found->user) : nullptr;
  if (!user || (found->expires && now >= *found->expires)) return std::nullopt;
  last_uses_[found->sha256] = now;
  Person person = person_of(*user);
  person.token = found->name;
  person.token_role = found->role;
  person.token_expires = found->expires;
  if (!found->actions.empty()) person.scope.emplace(found->actions.begin(), found->actions.end());
  person.reach = person.reach.within(Reach::of(found->domains, regions_));
  return person;
}

std::optional<Person> Users::named(std::string_view name) const {
  const std::lock_guard lock{mutex_};
  const UserEntry* user = content_.find(name);
  if (!user) return std::nullopt;
  return person_of(*user);
}

UsersFile Users::content() const {
  const std::lock_guard lock{mutex_};
  return content_;
}

std::map<std::string, Timestamp> Users::last_uses() const {
  const std::lock_guard lock{mutex_};
  return last_uses_;
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
