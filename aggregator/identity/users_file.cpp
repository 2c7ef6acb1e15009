// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/users_file.hpp"

#include <algorithm>
#include <set>

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/totp.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

/// Names have no control characters, so these two are all that a TOML basic string must escape.
std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::pair<std::string_view, Role>> role_choices() {
  std::vector<std::pair<std::string_view, Role>> choices;
  for (const Role role : all_roles) choices.emplace_back(name_of(role), role);
  return choices;
}

std::string toml_texts(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + toml_text(text);
  return "[" + out + "]";
}

std::vector<std::string> read_domains(const SettingsTable& table) {
  const auto domains = table.texts(
      "domains", "the parts of the house: region:NAME, site:SITE, room:SITE/AGENT; without it everything");
  if (table.has("domains") && domains.empty())
    table.complain("domains", "is empty, which would hide everything; leave it out for the whole house");
  for (const std::string& domain : domains)
    if (!is_domain(domain)) table.reject("domains", "region:NAME, site:SITE or room:SITE/AGENT");
  return domains;
}

UserEntry read_user(const SettingsTable& table, std::set<std::string>& seen) {
  UserEntry user;
  user.name = table.text("name", {.help = "the name to log in with"});
  user.role = table.choice<Role>("role", role_choices(), {}, "what this user may do");
  user.password = table.text("password", {.help = "an argon2id hash, made by `watchroom user`"});
  if (!user.name.empty() && !is_user_name(user.name))
    table.reject("name", "1 to 64 bytes without control characters and without blanks at the ends");
  else if (!user.name.empty() && !seen.insert(user.name).second)
    table.reject("name", "a name that no other user has");
  if (!user.password.empty() && !is_password_hash(user.password)) {
    // Not `reject`, which shows what it found: somebody may have typed a password here.
    table.problems().add({table.file_name(), table.line_of("password"), table.field() + ".password",
                          "is not an argon2id hash, expected what `watchroom user password` writes"});
  }
  user.domains = read_domains(table);
  user.must_change_password =
      table.flag("must_change_password", false, "whether the next log-in must begin with a new password");
  user.totp = table.text(
      "totp", {.help = "secret of the one-time codes, made by `watchroom user totp`", .fallback = ""});
  if (!user.totp.empty() && !is_totp_secret(user.totp))
    table.problems().add({table.file_name(), table.line_of("totp"), table.field() + ".totp",
                          "is no secret of one-time codes, expected what `watchroom user totp` writes"});
  table.finish();
  return user;
}

std::string names_of_actions() {
  std::string names;
  for (const Action action : all_actions)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(action));
  return names;
}

TokenEntry read_token(const SettingsTable& table, const UsersFile& users, std::set<std::string>& seen) {
  TokenEntry token;
  token.name = table.text("name", {.help = "what the token is for"});
  token.user = table.text("user", {.help = "whose rights it has"});
  token.sha256 = table.text("sha256", {.help = "SHA-256 of the token, in hex"});
  if (!token.name.empty() && !is_user_name(token.name))
    table.reject("name", "1 to 64 bytes without control characters and without blanks at the ends");
  else if (!token.name.empty() && !seen.insert(token.user + "\n" + token.name).second)
    table.reject("name", "a name that no other token of this user has");
  if (!token.user.empty() && !users.find(token.user))
    table.reject("user", "the name of a [[user]] in this file");
  if (!token.sha256.empty() && !is_sha256(token.sha256)) table.reject("sha256", "64 lower-case hex digits");
  if (table.has("role"))
    token.role = table.choice<Role>("role", role_choices(), {}, "no more than this role");
  for (const std::string& name : table.texts("actions", "what it may do; without it all that the role may")) {
    if (const auto action = action_named(name))
      token.actions.push_back(*action);
    else
      table.reject("actions", "names of actions: " + names_of_actions());
  }
  if (table.has("actions") && token.actions.empty())
    table.complain("actions", "is empty, which would allow nothing; leave it out for all that the role may");
  token.domains = read_domains(table);
  if (const auto expires = table.optional_text("expires", "when it ends, e.g. 2027-01-31T00:00:00Z")) {
    token.expires = from_rfc3339(*expires);
    if (!token.expires) table.reject("expires", "a time in UTC, e.g. 2027-01-31T00:00:00Z");
  }
  table.finish();
  return token;
}

bool has_an_administrator(const UsersFile& content) {
  return std::any_of(content.users.begin(), content.users.end(), [](const UserEntry& user) {
    return user.role == Role::administrator && user.domains.empty();
  });
}

}  // namespace

Result<void> check_token(const UserEntry& user, const TokenEntry& token) {
  for (const Action action : all_actions)
    if (token.role && may(*token.role, action) && !may(user.role, action))
      return fail(Errc::invalid, Retry::never, "the token's role {} may {}, its user's role {} may not",
                  name_of(*token.role), name_of(action), name_of(user.role));
  for (const Action action : token.actions)
    if (!may(user.role, action) || (token.role && !may(*token.role, action)))
      return fail(Errc::invalid, Retry::never, "the role {} may not {}, so no token of it may",
                  name_of(token.role.value_or(user.role)), name_of(action));
  return {};
}

bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && count_of_characters(name) && !has_control_characters(name) &&
         name.front() != ' ' && name.back() != ' ';
}

const UserEntry* UsersFile::find(std::string_view name) const {
  const auto at =
      std::find_if(users.begin(), users.end(), [&](const UserEntry& user) { return user.name == name; });
  return at == users.end() ? nullptr : &*at;
}

std::string UsersFile::to_toml() const {
  std::string out = "# Written by `watchroom user`; the aggregator notices changes by itself.\n";
  for (const UserEntry& user : users) {
    out += fmt::format("\n[[user]]\nname = {}\nrole = \"{}\"\npassword = \"{}\"\n", toml_text(user.name),
                       name_of(user.role), user.password);
    if (!user.domains.empty()) out += fmt::format("domains = {}\n", toml_texts(user.domains));
    if (user.must_change_password) out += "must_change_password = true\n";
    if (!user.totp.empty()) out += fmt::format("totp = \"{}\"\n", user.totp);
  }
  for (const TokenEntry& token : tokens) {
    out += fmt::format("\n[[token]]\nname = {}\nuser = {}\nsha256 = \"{}\"\n", toml_text(token.name),
                       toml_text(token.user), token.sha256);
    if (token.role) out += fmt::format("role = \"{}\"\n", name_of(*token.role));
    std::vector<std::string> action_names;
    for (const Action action : token.actions) action_names.emplace_back(name_of(action));
    if (!action_names.empty()) out += fmt::format("actions = {}\n", toml_texts(action_names));
    if (!token.domains.empty()) out += fmt::format("domains = {}\n", toml_texts(token.domains));
    if (token.expires) out += fmt::format("expires = \"{}\"\n", to_rfc3339(*token.expires));
  }
  return out;
}

UsersFile UsersFile::read(const SettingsTable& table) {
  UsersFile file;
  std::set<std::string> names, token_names;
  for (const SettingsTable& user : table.tables("user")) file.users.push_back(read_user(user, names));
  for (const SettingsTable& token : table.tables("token"))
    file.tokens.push_back(read_token(token, file, token_names));
  table.finish();
  return file;
}

UsersFile UsersFile::load(const std::filesystem::path& file, Problems& problems) {
  std::error_code missing;
  const auto status = std::filesystem::status(file, missing);
  if (status.type() == std::filesystem::file_type::not_found) {
    problems.add(
        {file.string(), 0, "",
         "does not exist; the aggregator makes it at its first start, or `watchroom user add` does"});
    return {};
  }
  if ((status.permissions() & std::filesystem::perms::others_read) != std::filesystem::perms::none)
    problems.add({file.string(), 0, "", "everybody can read the password hashes; run chmod 600 on it"});
  const auto table = SettingsTable::load(file, problems);
  return table ? read(*table) : UsersFile{};
}

Result<void> edit_users_file(const std::filesystem::path& file,
                             const std::function<Result<void>(UsersFile&)>& change) {
  auto lock = FolderLock::take(file.parent_path());
  if (!lock) return lock.error();
  UsersFile content;
  if (std::error_code ignored; std::filesystem::exists(file, ignored)) {
    Problems problems;
    content = UsersFile::load(file, problems);
    if (!problems.empty()) return fail(Errc::corrupt, Retry::never, "{}", problems.str());
  }
  const bool had_an_administrator = has_an_administrator(content);
  if (auto changed = change(content); !changed) return changed;
  if (had_an_administrator && !has_an_administrator(content))
    return fail(Errc::conflict, Retry::never, "the last administrator of the whole house must stay one");
  return replace_file(file, content.to_toml());
}

}  // namespace watchroom::aggregator
