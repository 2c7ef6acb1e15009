// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/agent_commands.hpp"

#include <filesystem>

#include "aggregator/cli/room_commands.hpp"
#include "aggregator/cli/table.hpp"
#include "proto/base/replace_file.hpp"

namespace watchroom::cli {
namespace {

/// The routes of one agent; an error for what is not SITE/AGENT.
Result<std::string> path_of(const Console& console, const std::string& place, std::string_view what) {
  const auto slash = place.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == place.size() ||
      place.find('/', slash + 1) != std::string::npos)
    return fail(Errc::invalid, Retry::never, "{}: {}",
                console.say("应为 站点/采集代理", "expected SITE/AGENT"), place);
  return fmt::format("/api/v1/agents/{}/{}/{}", percent_encoded(place.substr(0, slash)),
                     percent_encoded(place.substr(slash + 1)), what);
}

std::string text(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_string()
             ? object[key].get<std::string>()
             : "";
}

}  // namespace

int enrol_agent(const Client& client, const Console& console, const std::string& place, int hours,
                const std::string& file) {
  const auto path = path_of(console, place, "invitation");
  if (!path) return complain(path.error().text), exit_usage;
  if (std::error_code ignored; !file.empty() && std::filesystem::exists(file, ignored))
    return give_up(console, fail(Errc::conflict, Retry::never, "{}: {}", file,
                                 console.say("文件已存在", "the file exists already")));
  const auto reply = client.post(*path, {{"hours", hours}});
  if (!reply) return give_up(console, reply.error());
  const std::string token = text(reply->json, "token"), url = text(reply->json, "url"),
                    until = text(reply->json, "expires_at");
  Json shown = reply->json;
  if (!file.empty()) {
    if (auto written = replace_file(file, token + "\n"); !written) return give_up(console, written.error());
    shown["token"] = nullptr;
    shown["token_file"] = file;
  }
  if (console.is_json) {
    print_json(shown);
    return exit_ok;
  }
  print(file.empty() ? fmt::format("{}\n{}\n",
                                   console.say("登记令牌（只显示这一次，只能用一次）：",
                                               "the token (shown only now, good for one use):"),
                                   printable(token))
                     : fmt::format("{} {}\n", console.say("登记令牌已写入", "wrote the token to"), file));
  print(fmt::format("{} {}\n{}\n  watchroom-agent enrol {} --token-file {} agent.toml\n",
                    console.say("有效期至", "good until"), printable(until),
                    console.say("在采集器上运行：", "on the controller run:"), printable(url),
                    file.empty() ? "FILE" : file));
  return exit_ok;
}

int revoke_agent(const Client& client, const Console& console, const std::string& place,
                 const std::string& reason) {
  const auto path = path_of(console, place, "revocation");
  if (!path) return complain(path.error().text), exit_usage;
  const auto reply = client.post(*path, {{"reason", reason}});
  if (!reply) return give_up(console, reply.error());
  if (console.is_json)
    print(reply->body + "\n");
  else
    print(fmt::format("{} {}\n", printable(place),
                      console.say("的证书已吊销，连接正在切断",
                                  "is revoked: its certificates are void and its session is being cut")));
  return exit_ok;
}

}  // namespace watchroom::cli
