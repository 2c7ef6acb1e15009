// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/user_commands.hpp"

#include <algorithm>
#include <filesystem>

#include "aggregator/cli/ask_password.hpp"
#include "aggregator/cli/room_commands.hpp"
#include "aggregator/cli/table.hpp"
#include "aggregator/identity/first_administrator.hpp"
#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/identity/users_file.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::cli {
namespace {

using aggregator::Role;
using aggregator::TokenEntry;
using aggregator::UserEntry;
using aggregator::UsersFile;

Error unknown_user(const Console& console, const std::string& name) {
  return fail(Errc::not_found, Retry::never, "{}: {}", console.say("没有这个用户", "there is no such user"),
              name);
}

Result<std::string> new_password(const Console& console, const std::string& name,
                                 const PasswordSource& source) {
  Result<std::string> password = source.generate       ? aggregator::new_password()
                                 : source.file.empty() ? ask_password(console, name)
                                                       : read_secret(source.file);
  if (!password) return password;
  if (const auto checked = aggregator::check_password_rules(name, *password); !checked)
    return in(checked.error(),
              console.say("密码须至少 10 个字符、至多 256 字节、不含控制字符、不同于用户名",
                          "a password has 10 characters or more, 256 bytes or fewer, no control "
                          "characters, and is not the name"));
  return password;
}

void report(const Console& console, const Json& facts, std::string_view sentence,
            const std::string& password) {
  if (console.is_json) {
    Json all = facts;
    if (!password.empty()) all["password"] = password;
    print_json(all);
    return;
  }
  print(printable(sentence) + "\n");
  if (!password.empty())
    print(fmt::format("{}{}\n", console.say("密码（只显示这一次）：", "password (shown only now): "),
                      password));
}

/// Nothing wrong, or what is.
Result<void> check_domains(const Console& console, const Wishes& wishes) {
  for (const std::string& domain : wishes.domains)
    if (!aggregator::is_domain(domain))
      return fail(Errc::invalid, Retry::never, "{}: {}", domain,
                  console.say("应为 region:区域、site:站点 或 room:站点/采集代理",
                              "expected region:NAME, site:SITE or room:SITE/AGENT"));
  return {};
}

void apply(const Wishes& wishes, UserEntry& user) {
  if (!wishes.role.empty()) user.role = *aggregator::role_named(wishes.role);
  if (!wishes.domains.empty() || wishes.everywhere) user.domains = wishes.domains;
  if (wishes.must_change) user.must_change_password = true;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

/// Hashes outside the file's lock: it takes a third of a second.
Result<std::string> hashed(const std::string& password) { return aggregator::hash_password(password); }

/// The file refuses to lose its last administrator; nothing else is a conflict for who changes or removes.
Result<void> in_words(const Console& console, Result<void> done) {
  if (done || done.error().code != Errc::conflict) return done;
  return fail(Errc::conflict, Retry::never, "{}",
              console.say("这是全部范围的最后一名管理员，必须保留",
                          "this is the last administrator of the whole house, who must stay one"));
}

int finish(const Console& console, const Result<void>& done, const Json& facts, std::string_view sentence,
           const std::string& shown_password = "") {
  if (!done) return give_up(console, done.error());
  report(console, facts, sentence, shown_password);
  return exit_ok;
}

}  // namespace

int add_user(const Console& console, const std::string& users_file, const std::string& name,
             const Wishes& wishes, const PasswordSource& source) {
  if (const auto checked = check_domains(console, wishes); !checked) return give_up(console, checked.error());
  if (!aggregator::is_user_name(name))
    return give_up(console,
                   fail(Errc::invalid, Retry::never, "{}",
                        console.say("用户名须为 1 至 64 字节、不含控制字符、首尾无空格",
                                    "a name has 1 to 64 bytes, no control characters and no blanks at its "
                                    "ends")));
  const auto password = new_password(console, name, source);
  if (!password) return give_up(console, password.error());
  const auto hash = hashed(*password);
  if (!hash) return give_up(console, hash.error());
  const auto done = aggregator::edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    if (content.find(name))
      return fail(Errc::conflict, Retry::never, "{}: {}",
                  console.say("用户已存在", "this user exists already"), name);
    UserEntry user{name, Role::viewer, *hash};
    apply(wishes, user);
    content.users.push_back(std::move(user));
    return {};
  });
  const Role role = *aggregator::role_named(wishes.role);
  return finish(console, done, {{"name", name}, {"role", aggregator::name_of(role)}},
                fmt::format("{} {} ({})", console.say("已添加用户", "added user"), name,
                            console.say(aggregator::chinese_name_of(role), aggregator::name_of(role))),
                source.generate ? *password : "");
}

int change_user(const Console& console, const std::string& users_file, const std::string& name,
                const Wishes& wishes) {
  if (const auto checked = check_domains(console, wishes); !checked) return give_up(console, checked.error());
  const auto done = aggregator::edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    for (UserEntry& user : content.users)
      if (user.name == name) {
        apply(wishes, user);
        return {};
      }
    return unknown_user(console, name);
  });
  return finish(console, in_words(console, done), {{"name", name}},
                fmt::format("{}: {}", console.say("已更改用户", "changed the user"), name));
}

int change_password(const Console& console, const std::string& users_file, const std::string& name,
                    const Wishes& wishes, const PasswordSource& source) {
  const auto password = new_password(console, name, source);
  if (!password) return give_up(console, password.error());
  const auto hash = hashed(*password);
  if (!hash) return give_up(console, hash.error());
  const auto done = aggregator::edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    for (UserEntry& user : content.users)
      if (user.name == name) {
        user.password = *hash;
        user.must_change_password = wishes.must_change;
        return {};
      }
    return unknown_user(console, name);
  });
  if (done && name == aggregator::first_administrator_name) aggregator::forget_first_password(users_file);
  return finish(console, done, {{"name", name}},
                fmt::format("{}: {}",
                            console.say("密码已更改，该用户的会话已结束",
                                        "the password is changed and the user's sessions end"),
                            name),
                source.generate ? *password : "");
}

int remove_user(const Console& console, const std::string& users_file, const std::string& name) {
  const auto done = aggregator::edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    if (!content.find(name)) return unknown_user(console, name);
    std::erase_if(content.users, [&](const UserEntry& user) { return user.name == name; });
    std::erase_if(content.tokens, [&](const TokenEntry& token) { return token.user == name; });
    return {};
  });
  return finish(
      console, in_words(console, done), {{"name", name}},
      fmt::format("{}: {}", console.say("已删除用户及其令牌", "removed the user and its tokens"), name));
}

int list_users(const Console& console, const std::string& users_file) {
  Problems problems;
  const UsersFile content = UsersFile::load(users_file, problems);
  if (!problems.empty()) return give_up(console, fail(Errc::corrupt, Retry::never, "{}", problems.str()));
  Json all = Json::array();
  Table table{{console.say("用户", "user"), console.say("角色", "role"), console.say("范围", "domains"),
               console.say("验证码", "codes"), console.say("令牌", "tokens")}};
  for (const UserEntry& user : content.users) {
    Json tokens = Json::array();
    std::string names;
    for (const TokenEntry& token : content.tokens) {
      if (token.user != user.name) continue;
      tokens.push_back(token.name);
      names += (names.empty() ? "" : ", ") + token.name;
    }
    all.push_back({{"name", user.name},
                   {"role", aggregator::name_of(user.role)},
                   {"domains", user.domains},
                   {"has_totp", !user.totp.empty()},
                   {"must_change_password", user.must_change_password},
                   {"tokens", tokens}});
    table.add({user.name, console.say(aggregator::chinese_name_of(user.role), aggregator::name_of(user.role)),
               user.domains.empty() ? std::string{console.say("全部", "everything")} : joined(user.domains),
               user.totp.empty() ? console.say("否", "no") : console.say("是", "yes"), names});
  }
  if (console.is_json)
    print_json(Json{{"users", all}});
  else
    print(table.str(console));
  return exit_ok;
}

int add_token(const Console& console, const std::string& users_file, const std::string& user,
              const std::string& token_name, const std::string& token_file, const Wishes& wishes) {
  if (const auto checked = check_domains(console, wishes); !checked) return give_up(console, checked.error());
  if (std::error_code ignored; std::filesystem::exists(token_file, ignored))
    return give_up(console, fail(Errc::conflict, Retry::never, "{}: {}", token_file,
                                 console.say("文件已存在", "the file exists already")));
  const std::string token = aggregator::new_token();
  const auto done = aggregator::edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    const UserEntry* owner = content.find(user);
    if (!owner) return unknown_user(console, user);
    if (!aggregator::is_user_name(token_name))
      return fail(Errc::invalid, Retry::never, "{}",
                  console.say("令牌名称无效", "the token's name is not valid"));
    for (const TokenEntry& entry : content.tokens)
      if (entry.user == user && entry.name == token_name)
        return fail(Errc::conflict, Retry::never, "{}: {}",
                    console.say("该用户已有同名令牌，先用 --revoke 撤销",
                                "this user has a token of that name already, end it with --revoke first"),
                    token_name);
    TokenEntry entry{token_name, user, aggregator::sha256_hex(token)};
    if (!wishes.role.empty()) entry.role = aggregator::role_named(wishes.role);
    for (const std::string& action : wishes.actions)
      entry.actions.push_back(*aggregator::action_named(action));
    entry.domains = wishes.domains;
    entry.expires = SystemClock{}.now() + std::chrono::hours{24 * wishes.days};
    if (auto checked = aggregator::check_token(*owner, entry); !checked)
      return in(checked.error(),
                console.say("令牌的权限不能超过其用户", "a token may do no more than its user"));
    content.tokens.push_back(std::move(entry));
    // Inside, so that no hash is stored for a token nobody got.
    return replace_file(token_file, token + "\n");
  });
  return finish(console, done, {{"user", user}, {"name", token_name}, {"token_file", token_file}},
                fmt::format("{} {}", console.say("令牌已写入", "wrote the token to"), token_file));
}

int revoke_token(const Console& console, const std::string& users_file, const std::string& user,
                 const std::string& token_name) {
  const auto done = aggregator::edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    const auto count = std::erase_if(content.tokens, [&](const TokenEntry& token) {
      return token.user == user && token.name == token_name;
    });
    if (count != 0) return {};
    return fail(Errc::not_found, Retry::never, "{}: {}",
                console.say("没有这个令牌", "there is no such token"), token_name);
  });
  return finish(console, done, {{"user", user}, {"name", token_name}},
                fmt::format("{} {}", console.say("已撤销令牌", "ended the token"), token_name));
}

}  // namespace watchroom::cli
