// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What somebody changed in the users file, in words.
#include <algorithm>

#include "aggregator/identity/users.hpp"

namespace watchroom::aggregator {
namespace {

std::string words_of(const std::vector<std::string>& domains) {
  if (domains.empty()) return "everything";
  std::string words;
  for (const std::string& domain : domains) words += (words.empty() ? "" : " ") + domain;
  return words;
}

std::string words_of(const UserEntry& user) {
  return fmt::format("{}, {}", name_of(user.role), words_of(user.domains));
}

std::string words_of(const TokenEntry& token) {
  std::string words = fmt::format("{}, {}", token.role ? name_of(*token.role) : "the user's role",
                                  token.domains.empty() ? "the user's domains" : words_of(token.domains));
  if (!token.actions.empty()) words += ", only";
  for (const Action action : token.actions) words += fmt::format(" {}", name_of(action));
  return words + (token.expires ? ", until " + to_rfc3339(*token.expires) : ", for ever");
}

std::string change_of(const UserEntry& before, const UserEntry& after) {
  std::string words;
  const auto add = [&](const std::string& more) { words += (words.empty() ? "" : "; ") + more; };
  if (before.role != after.role) add(fmt::format("role {} to {}", name_of(before.role), name_of(after.role)));
  if (before.domains != after.domains)
    add(fmt::format("domains {} to {}", words_of(before.domains), words_of(after.domains)));
  if (before.password != after.password) add("another password");
  if (before.totp != after.totp)
    add(after.totp.empty()    ? "one-time codes off"
        : before.totp.empty() ? "one-time codes on"
                              : "another secret of one-time codes");
  if (before.must_change_password != after.must_change_password)
    add(after.must_change_password ? "must change the password" : "need not change the password");
  return words;
}

const TokenEntry* find(const UsersFile& file, const TokenEntry& token) {
  const auto at = std::find_if(file.tokens.begin(), file.tokens.end(), [&](const TokenEntry& other) {
    return other.user == token.user && other.name == token.name;
  });
  return at == file.tokens.end() ? nullptr : &*at;
}

}  // namespace

std::vector<AuditEvent> changes_between(const UsersFile& before, const UsersFile& after) {
  std::vector<AuditEvent> changes;
  const auto note = [&](std::string_view action, std::string object, std::string detail) {
    changes.push_back(
        {.action = std::string{action}, .object = std::move(object), .detail = std::move(detail)});
  };
  for (const UserEntry& user : before.users)
    if (!after.find(user.name)) note("user.remove", "user " + user.name, words_of(user));
  for (const UserEntry& user : after.users) {
    const UserEntry* old = before.find(user.name);
    if (!old)
      note("user.add", "user " + user.name, words_of(user));
    else if (*old != user)
      note("user.change", "user " + user.name, change_of(*old, user));
  }
  for (const TokenEntry& token : before.tokens)
    if (!find(after, token))
      note("token.remove", fmt::format("token {}/{}", token.user, token.name), words_of(token));
  for (const TokenEntry& token : after.tokens) {
    const TokenEntry* old = find(before, token);
    if (!old)
      note("token.add", fmt::format("token {}/{}", token.user, token.name), words_of(token));
    else if (*old != token)
      note("token.change", fmt::format("token {}/{}", token.user, token.name), words_of(token));
  }
  return changes;
}

}  // namespace watchroom::aggregator
