// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/user_rest_commands.hpp"

#include <filesystem>

#include "aggregator/cli/room_commands.hpp"
#include "aggregator/cli/table.hpp"
#include "aggregator/identity/roles.hpp"
#include "proto/base/replace_file.hpp"

namespace watchroom::cli::rest {
namespace {

std::string text(const Json& object, const char* key) {
  const bool is_text = object.is_object() && object.contains(key) && object[key].is_string();
  return is_text ? object[key].get<std::string>() : "";
}

std::string joined(const Json& texts) {
  std::string all;
  if (texts.is_array())
    for (const Json& each : texts)
      if (each.is_string()) all += (all.empty() ? "" : ", ") + each.get<std::string>();
  return all;
}

std::string path_of(const std::string& name, std::string_view rest = "") {
  return fmt::format("/api/v1/users/{}{}", percent_encoded(name), rest);
}

int finished(const Console& console, const Result<Reply>& reply, const std::string& name,
             std::string_view chinese, std::string_view english) {
  if (!reply) return give_up(console, reply.error());
  if (console.is_json) {
    const std::string named = Json{{"name", name}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    print((reply->body.empty() ? named : reply->body) + "\n");
    return exit_ok;
  }
  print(printable(fmt::format("{}: {}", console.say(chinese, english), name)) + "\n");
  if (const std::string password = text(reply->json, "password"); !password.empty())
    print(printable(fmt::format("{}{}",
                                console.say("密码（只显示这一次，首次登录须更改）：",
                                            "password (shown only now, to be changed at the log-in): "),
                                password)) +
          "\n");
  return exit_ok;
}

Json domains_of(const Wishes& wishes) {
  return wishes.domains.empty() ? Json(nullptr) : Json(wishes.domains);
}

}  // namespace

int list_users(const Client& client, const Console& console) {
  const auto reply = client.get("/api/v1/users");
  if (!reply) return give_up(console, reply.error());
  if (console.is_json) {
    print(reply->body + "\n");
    return exit_ok;
  }
  Table table{{console.say("用户", "user"), console.say("角色", "role"), console.say("范围", "domains"),
               console.say("验证码", "codes"), console.say("令牌（上次使用）", "tokens (last use)")}};
  for (const Json& user : reply->json.value("users", Json::array())) {
    const auto role = aggregator::role_named(text(user, "role"));
    const std::string domains = joined(user.value("domains", Json{}));
    std::string tokens;
    for (const Json& token : user.value("tokens", Json::array())) {
      const std::string used = text(token, "last_used_at");
      tokens += fmt::format("{}{} ({})", tokens.empty() ? "" : ", ", text(token, "name"),
                            used.empty() ? "—" : used);
    }
    table.add({text(user, "name"),
               role ? std::string{console.say(aggregator::chinese_name_of(*role), aggregator::name_of(*role))}
                    : text(user, "role"),
               domains.empty() ? std::string{console.say("全部", "everything")} : domains,
               user.value("has_totp", false) ? console.say("是", "yes") : console.say("否", "no"), tokens});
  }
  print(table.str(console));
  return exit_ok;
}

int add_user(const Client& client, const Console& console, const std::string& name, const Wishes& wishes) {
  const Json body{{"name", name}, {"role", wishes.role}, {"domains", domains_of(wishes)}};
  return finished(console, client.post("/api/v1/users", body), name, "已添加用户", "added user");
}

int change_user(const Client& client, const Console& console, const std::string& name, const Wishes& wishes) {
  // What is not wished for stays: it is read first.
  const auto all = client.get("/api/v1/users");
  if (!all) return give_up(console, all.error());
  Json body{{"role", wishes.role}, {"domains", domains_of(wishes)}};
  for (const Json& user : all->json.value("users", Json::array())) {
    if (text(user, "name") != name) continue;
    if (wishes.role.empty()) body["role"] = text(user, "role");
    if (wishes.domains.empty() && !wishes.everywhere) body["domains"] = user.value("domains", Json{});
  }
  return finished(console, client.put(path_of(name), body), name, "已更改用户", "changed the user");
}

int reset_password(const Client& client, const Console& console, const std::string& name) {
  return finished(console, client.post(path_of(name, "/password"), Json::object()), name,
                  "密码已重置，该用户的会话已结束", "the password is reset and the user's sessions end");
}

int remove_user(const Client& client, const Console& console, const std::string& name) {
  return finished(console, client.remove(path_of(name)), name, "已删除用户及其令牌",
                  "removed the user and its tokens");
}

int end_totp(const Client& client, const Console& console, const std::string& name) {
  return finished(console, client.remove(path_of(name, "/totp")), name, "登录不再需要验证码",
                  "log-ins need no one-time code any more");
}

int add_token(const Client& client, const Console& console, const std::string& user,
              const std::string& token_name, const std::string& token_file, const Wishes& wishes) {
  if (std::error_code ignored; std::filesystem::exists(token_file, ignored))
    return give_up(console, fail(Errc::conflict, Retry::never, "{}: {}", token_file,
                                 console.say("文件已存在", "the file exists already")));
  Json body{{"name", token_name}, {"days", wishes.days}, {"domains", domains_of(wishes)}};
  if (!wishes.role.empty()) body["role"] = wishes.role;
  if (!wishes.actions.empty()) body["actions"] = wishes.actions;
  const auto reply = client.post(path_of(user, "/tokens"), body);
  if (!reply) return give_up(console, reply.error());
  const std::string token = text(reply->json, "token");
  if (auto written = replace_file(token_file, token + "\n"); !written) {
    // Nobody has it: it must not stay good.
    const auto ended = client.remove(path_of(user, "/tokens/" + percent_encoded(token_name)));
    if (!ended) complain(ended.error().text);
    return give_up(console, written.error());
  }
  Json shown = reply->json;
  shown.erase("token");
  shown["token_file"] = token_file;
  if (console.is_json)
    print_json(shown);
  else
    print(printable(fmt::format("{} {} ({} {})", console.say("令牌已写入", "wrote the token to"), token_file,
                                console.say("有效期至", "good until"), text(reply->json, "expires_at"))) +
          "\n");
  return exit_ok;
}

int revoke_token(const Client& client, const Console& console, const std::string& user,
                 const std::string& token_name) {
  return finished(console, client.remove(path_of(user, "/tokens/" + percent_encoded(token_name))), token_name,
                  "已撤销令牌", "ended the token");
}

}  // namespace watchroom::cli::rest
