// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// API tokens, for administrators. A token's text is in one answer and nowhere else.
#include <algorithm>

#include "aggregator/identity/secret.hpp"
#include "aggregator/web/api.hpp"
#include "aggregator/web/asked.hpp"
#include "aggregator/web/people_json.hpp"
#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {
namespace {

Answer wrong(std::string_view en, std::string_view zh) { return refuse(Refusal::malformed, en, zh); }

bool has_only_known_keys(const Json& body) {
  for (const auto& item : body.items()) {
    const std::string& key = item.key();
    if (key != "name" && key != "role" && key != "actions" && key != "domains" && key != "days") return false;
  }
  return true;
}

std::optional<Answer> read_actions(const Json& body, TokenEntry& token) {
  if (!body.contains("actions") || body["actions"].is_null()) return std::nullopt;
  const Json& actions = body["actions"];
  bool is_good = actions.is_array() && !actions.empty() && actions.size() <= all_actions.size();
  for (std::size_t i = 0; is_good && i < actions.size(); ++i) {
    const auto found = std::find_if(all_actions.begin(), all_actions.end(), [&](const Action action) {
      return actions[i].is_string() && actions[i].get<std::string>() == name_of(action);
    });
    is_good = found != all_actions.end();
    if (is_good) token.actions.push_back(*found);
  }
  if (is_good) return std::nullopt;
  return wrong(R"("actions": null for all that the role may, or a list of names such as "view".)",
               R"("actions"：null 表示角色允许的全部操作，或操作名称（如 "view"）的列表。)");
}

/// Fills in what the body says; the first thing that is wrong, otherwise.
std::optional<Answer> read_token(const std::string& text, Timestamp now, TokenEntry& token) {
  const Json body = Json::parse(text, nullptr, false);
  if (!body.is_object() || !has_only_known_keys(body) || !body.contains("name") || !body["name"].is_string())
    return wrong(R"(Expected an object with "name" and, if wanted, "role", "actions", "domains", "days".)",
                 R"(应为含 "name"（以及需要时的 "role"、"actions"、"domains"、"days"）的对象。)");
  token.name = body["name"].get<std::string>();
  if (!is_user_name(token.name))
    return wrong("\"name\": 1 to 64 bytes without control characters and without blanks at the ends.",
                 "\"name\" 须为 1 至 64 字节、不含控制字符、首尾无空格。");
  if (body.contains("role") && !body["role"].is_null()) {
    if (body["role"].is_string()) token.role = role_named(body["role"].get<std::string>());
    if (!token.role)
      return wrong("\"role\": viewer, operator, shift_lead, administrator or auditor.",
                   "\"role\" 应为 viewer、operator、shift_lead、administrator 或 auditor。");
  }
  std::int64_t days = default_token_days;
  if (body.contains("days")) {
    const bool is_number = body["days"].is_number_integer();
    days = is_number ? body["days"].get<std::int64_t>() : 0;
    if (days < 1 || days > most_token_days)
      return wrong(fmt::format("\"days\": 1 to {}; every token has an end.", most_token_days),
                   fmt::format("\"days\" 须为 1 至 {}，令牌都有期限。", most_token_days));
  }
  token.expires = now + std::chrono::hours{24 * days};
  if (auto refused = read_actions(body, token)) return refused;
  return read_domains(body, token.domains);
}

bool is_it(const TokenEntry& token, const std::string& user, const std::string& name) {
  return token.user == user && token.name == name;
}

}  // namespace

Answer Api::add_token(const Call& call) {
  TokenEntry token;
  token.user = call.places.at(0);
  if (auto refused = read_token(call.request.body, clock_.now(), token)) return *std::move(refused);
  const std::string text = new_token();
  token.sha256 = sha256_hex(text);
  const Person& asker = call.visitor->person;
  return change_users(
      call, "token.add", fmt::format("token {}/{}", token.user, token.name),
      [&](UsersFile& content) -> Result<void> {
        const UserEntry* user = content.find(token.user);
        if (!user) return fail(Errc::not_found, Retry::never, "there is no user {}", for_log(token.user));
        if (std::any_of(content.tokens.begin(), content.tokens.end(),
                        [&](const TokenEntry& other) { return is_it(other, token.user, token.name); }))
          return fail(Errc::conflict, Retry::never, "{} has a token {} already", for_log(token.user),
                      for_log(token.name));
        if (auto checked = check_token(*user, token); !checked) return checked;
        // A token for users only must not make itself one for everything.
        for (const Action action : all_actions) {
          const bool is_listed =
              token.actions.empty() ||
              std::find(token.actions.begin(), token.actions.end(), action) != token.actions.end();
          if (is_listed && may(token.role.value_or(user->role), action) && !asker.may(action))
            return fail(Errc::invalid, Retry::never, "you may not {}, so you cannot give a token that may",
                        name_of(action));
        }
        content.tokens.push_back(token);
        return {};
      },
      [&] {
        Json body = to_json(token, {});
        body["user"] = token.user;
        body["token"] = text;
        Answer answer = json(body);
        answer.status = 201;
        return answer;
      });
}

Answer Api::remove_token(const Call& call) {
  const std::string &user = call.places.at(0), &name = call.places.at(1);
  return change_users(
      call, "token.remove", fmt::format("token {}/{}", user, name),
      [&](UsersFile& content) -> Result<void> {
        const auto count =
            std::erase_if(content.tokens, [&](const TokenEntry& token) { return is_it(token, user, name); });
        if (count != 0) return {};
        return fail(Errc::not_found, Retry::never, "{} has no token {}", for_log(user), for_log(name));
      },
      [] {
        Answer answer;
        answer.status = 204;
        return answer;
      });
}

}  // namespace watchroom::aggregator
