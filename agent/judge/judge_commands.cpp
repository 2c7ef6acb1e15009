// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/judge_commands.hpp"

#include <nlohmann/json.hpp>

namespace watchroom::agent {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto disk_patience = 3s;

json finished(LocalJudge& judge, json reply) {
  if (const auto kept = judge.kept(disk_patience); !kept)
    reply["warning"] = fmt::format("重启后将不再有效 it will not survive a restart: {}", kept.error().text);
  return reply;
}

json failed(const Error& error) { return {{"error", error.text}}; }

json answer_to(LocalJudge& judge, const json& request) {
  try {
    const auto command = request.at("command").get<std::string>();
    const auto owner = request.at("owner").get<std::string>();
    if (owner.empty() || owner.size() > 64) return {{"error", "owner: 1 to 64 characters are expected"}};
    if (command == "inhibit") {
      const std::chrono::milliseconds lasting{request.at("lasting_ms").get<std::int64_t>()};
      if (lasting <= 0ms || lasting > longest_inhibit)
        return {{"error", "lasting_ms: up to 24 hours are expected"}};
      const auto done = judge.inhibit(owner, request.at("reason").get<std::string>().substr(0, 500), lasting);
      return done ? finished(judge, {{"done", "inhibited"}}) : failed(done.error());
    }
    if (command == "end_inhibit") {
      const auto done = judge.end_inhibition(owner);
      return done ? finished(judge, {{"done", "ended"}}) : failed(done.error());
    }
    if (command == "reset") {
      const auto done = judge.reset(request.at("reaction").get<std::string>(), owner);
      return done ? finished(judge, {{"done", *done}}) : failed(done.error());
    }
    return {{"error", "no such command: " + command}};
  } catch (const json::exception& error) {
    return {{"error", std::string{"not understood: "} + error.what()}};
  }
}

}  // namespace

std::string answer_command(LocalJudge& judge, const std::string& request) {
  const json reply = answer_to(judge, json::parse(request, nullptr, false));
  return reply.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace watchroom::agent
