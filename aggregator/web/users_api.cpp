// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Users, for administrators. The users file stays the truth: whatever is asked here changes the file.
#include <algorithm>

#include "aggregator/identity/first_administrator.hpp"
#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/web/api.hpp"
#include "aggregator/web/asked.hpp"
#include "aggregator/web/people_json.hpp"
#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {
namespace {

Json texts(const std::vector<std::string>& all) { return all.empty() ? Json(nullptr) : Json(all); }

/// What the body of a request says of a user; the first thing that is wrong, otherwise.
struct Wanted {
  std::string name;
  Role role = Role::viewer;
  std::vector<std::string> domains;
};

Answer wrong(std::string_view en, std::string_view zh) { return refuse(Refusal::malformed, en, zh); }

std::optional<Answer> read_wanted(const std::string& text, std::initializer_list<std::string_view> keys,
                                  Wanted& wanted) {
  const Json body = Json::parse(text, nullptr, false);
  const auto is_text = [&](const char* key) { return body.contains(key) && body[key].is_string(); };
  if (!body.is_object() || !is_text("role"))
    return wrong(R"(Expected an object with "role" and, if limited, "domains".)",
                 R"(应为含 "role"（以及需要时的 "domains"）的对象。)");
  for (const auto& item : body.items())
    if (std::find(keys.begin(), keys.end(), item.key()) == keys.end())
      return wrong(fmt::format("There is no key {} here.", for_log(item.key())),
                   fmt::format("此处没有键 {}。", for_log(item.key())));
  const auto role = role_named(body["role"].get<std::string>());
  if (!role)
    return wrong("\"role\": viewer, operator, shift_lead, administrator or auditor.",
                 "\"role\" 应为 viewer、operator、shift_lead、administrator 或 auditor。");
  wanted.role = *role;
  if (is_text("name")) wanted.name = body["name"].get<std::string>();
  return read_domains(body, wanted.domains);
}

UserEntry* find(UsersFile& content, std::string_view name) {
  for (UserEntry& user : content.users)
    if (user.name == name) return &user;
  return nullptr;
}

Error unknown(const std::string& name) {
  return fail(Errc::not_found, Retry::never, "there is no user {}", for_log(name));
}

/// A token for users only must not make somebody, or become somebody, who may everything.
Result<void> check_gift(const Person& asker, Role role) {
  for (const Action action : all_actions)
    if (may(role, action) && !asker.may(action))
      return fail(Errc::invalid, Retry::never, "you may not {}, so you cannot make a {}, who may",
                  name_of(action), name_of(role));
  return {};
}

}  // namespace

Json to_json(const TokenEntry& token, const std::map<std::string, Timestamp>& last_uses) {
  std::vector<std::string> actions;
  for (const Action action : token.actions) actions.emplace_back(name_of(action));
  const auto used = last_uses.find(token.sha256);
  return {{"name", token.name},
          {"role", token.role ? Json(name_of(*token.role)) : Json(nullptr)},
          {"actions", texts(actions)},
          {"domains", texts(token.domains)},
          {"expires_at", token.expires ? Json(to_rfc3339(*token.expires)) : Json(nullptr)},
          {"last_used_at", used == last_uses.end() ? Json(nullptr) : Json(to_rfc3339(used->second))}};
}

Json to_json(const UserEntry& user, const UsersFile& file,
             const std::map<std::string, Timestamp>& last_uses) {
  Json tokens = Json::array();
  for (const TokenEntry& token : file.tokens)
    if (token.user == user.name) tokens.push_back(to_json(token, last_uses));
  return {{"name", user.name},
          {"role", name_of(user.role)},
          {"domains", texts(user.domains)},
          {"must_change_password", user.must_change_password},
          {"has_totp", !user.totp.empty()},
          {"tokens", std::move(tokens)}};
}

Answer Api::change_users(const Call& call, std::string_view action, const std::string& object,
                         const std::function<Result<void>(UsersFile&)>& change,
                         const std::function<Answer()>& answer) {
  const auto edited = users_.edit(call.visitor->person.audit_name(), call.request.address, change);
  if (edited) return answer();
  record(call, action, object, &edited.error(), "");
  const Errc code = edited.error().code;
  if (code == Errc::conflict || code == Errc::not_found || code == Errc::invalid)
    return refuse(edited.error());
  log_.error("the users file could not be changed: {}", edited.error().text);
  return refuse(Refusal::failed, "The users file cannot be changed; the log says more.",
                "无法更改用户文件，详见服务器日志。");
}

Answer Api::users(const Call&) {
  const UsersFile file = users_.content();
  const auto last_uses = users_.last_uses();
  Json all = Json::array();
  for (const UserEntry& user : file.users) all.push_back(to_json(user, file, last_uses));
  return json({{"users", std::move(all)}});
}

Answer Api::add_user(const Call& call) {
  Wanted wanted;
  if (auto refused = read_wanted(call.request.body, {"name", "role", "domains"}, wanted))
    return *std::move(refused);
  if (!is_user_name(wanted.name))
    return wrong("\"name\": 1 to 64 bytes without control characters and without blanks at the ends.",
                 "\"name\" 须为 1 至 64 字节、不含控制字符、首尾无空格。");
  const std::string password = new_password();
  const auto hash = hash_password(password);
  if (!hash) return refuse(hash.error());
  UserEntry entry{wanted.name, wanted.role, *hash};
  entry.domains = wanted.domains;
  entry.must_change_password = true;
  return change_users(
      call, "user.add", "user " + wanted.name,
      [&](UsersFile& content) -> Result<void> {
        if (content.find(wanted.name))
          return fail(Errc::conflict, Retry::never, "there is a user {} already", for_log(wanted.name));
        if (auto checked = check_gift(call.visitor->person, wanted.role); !checked) return checked;
        content.users.push_back(entry);
        return {};
      },
      [&] {
        Json body = to_json(entry, {}, {});
        body["password"] = password;
        Answer answer = json(body);
        answer.status = 201;
        return answer;
      });
}

Answer Api::change_user(const Call& call) {
  Wanted wanted;
  wanted.name = call.places.at(0);
  if (auto refused = read_wanted(call.request.body, {"role", "domains"}, wanted)) return *std::move(refused);
  return change_users(
      call, "user.change", "user " + wanted.name,
      [&](UsersFile& content) -> Result<void> {
        UserEntry* user = find(content, wanted.name);
        if (!user) return unknown(wanted.name);
        if (auto checked = check_gift(call.visitor->person, wanted.role); !checked) return checked;
        user->role = wanted.role;
        user->domains = wanted.domains;
        return {};
      },
      [&] {
        const UsersFile file = users_.content();
        const UserEntry* user = file.find(wanted.name);
        return user ? json(to_json(*user, file, users_.last_uses())) : no_such_place();
      });
}

namespace {

Answer done() {
  Answer answer;
  answer.status = 204;
  return answer;
}

}  // namespace

Answer Api::remove_user(const Call& call) {
  const std::string& name = call.places.at(0);
  return change_users(
      call, "user.remove", "user " + name,
      [&](UsersFile& content) -> Result<void> {
        if (!content.find(name)) return unknown(name);
        std::erase_if(content.users, [&](const UserEntry& user) { return user.name == name; });
        std::erase_if(content.tokens, [&](const TokenEntry& token) { return token.user == name; });
        return {};
      },
      done);
}

Answer Api::reset_password(const Call& call) {
  const std::string& name = call.places.at(0);
  const std::string password = new_password();
  const auto hash = hash_password(password);
  if (!hash) return refuse(hash.error());
  return change_users(
      call, "user.change", "user " + name,
      [&](UsersFile& content) -> Result<void> {
        UserEntry* user = find(content, name);
        if (!user) return unknown(name);
        // Whoever sets the password can log in as that user.
        if (auto checked = check_gift(call.visitor->person, user->role); !checked) return checked;
        user->password = *hash;
        user->must_change_password = true;
        return {};
      },
      [&] {
        if (name == first_administrator_name) forget_first_password(users_.file());
        const UsersFile file = users_.content();
        const UserEntry* user = file.find(name);
        if (!user) return no_such_place();
        Json body = to_json(*user, file, users_.last_uses());
        body["password"] = password;
        return json(body);
      });
}

Answer Api::end_totp(const Call& call) {
  const std::string& name = call.places.at(0);
  // Whoever finds an administrator's screen open must not take the second proof off it.
  if (name == call.visitor->person.name) {
    const Error own = fail(Errc::refused, Retry::never, "one's own codes end with password and code");
    record(call, "user.change", "user " + name, &own, "");
    return refuse(Refusal::not_allowed, "Your own: DELETE /api/v1/session/totp, with password and code.",
                  "停用自己的验证码须用密码和验证码：DELETE /api/v1/session/totp。");
  }
  return change_users(
      call, "user.change", "user " + name,
      [&](UsersFile& content) -> Result<void> {
        UserEntry* user = find(content, name);
        if (!user) return unknown(name);
        if (auto checked = check_gift(call.visitor->person, user->role); !checked) return checked;
        user->totp.clear();
        return {};
      },
      done);
}

}  // namespace watchroom::aggregator
