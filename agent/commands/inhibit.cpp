// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <charconv>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "agent/commands/commands.hpp"
#include "agent/judge/control_socket.hpp"
#include "agent/judge/judge_commands.hpp"
#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// "90s", "30m", "2h".
std::optional<std::chrono::seconds> duration_in(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr + 1 != end || number < 1 || number > 100'000) return std::nullopt;
  switch (*read.ptr) {
    case 's': return std::chrono::seconds{number};
    case 'm': return std::chrono::minutes{number};
    case 'h': return std::chrono::hours{number};
    default: return std::nullopt;
  }
}

constexpr std::string_view program = "watchroom-agent";

int refuse(bool is_json, std::string text) {
  return command_line::give_up(program, Error{Errc::invalid, Retry::never, std::move(text)}, is_json);
}

int ask_and_print(const std::filesystem::path& settings_file, const json& request, bool is_json) {
  Problems problems;
  const auto settings = AgentSettings::load(settings_file, problems);
  if (!settings) return command_line::give_up(problems, is_json);
  const auto answer =
      ask_running_agent(settings->data_dir, request.dump(-1, ' ', false, json::error_handler_t::replace));
  if (!answer) return command_line::give_up(program, answer.error(), is_json);
  const json reply = json::parse(*answer, nullptr, false);
  // It understood what was asked: whatever it says is no fault of the command line.
  if (!reply.is_object() || reply.contains("error"))
    return command_line::give_up(program,
                                 Error{Errc::refused, Retry::never,
                                       reply.is_object() ? reply.at("error").get<std::string>() : *answer},
                                 is_json);
  if (is_json)
    command_line::print_json(reply);
  else
    fmt::print("完成 / done: {}\n", reply.value("done", ""));
  if (reply.contains("warning")) fmt::print(stderr, "{}\n", reply.at("warning").get<std::string>());
  return done;
}

}  // namespace

int inhibit_command(const InhibitOptions& options) {
  if (options.is_end)
    return ask_and_print(options.settings_file, {{"command", "end_inhibit"}, {"owner", options.owner}},
                         options.json);
  const auto lasting = duration_in(options.lasting);
  if (!lasting || *lasting > longest_inhibit)
    return refuse(options.json, fmt::format("--for: \"{0}\" 无效，应为如 30m、2h，最长 24h / \"{0}\" is not "
                                            "valid, expected such as 30m or 2h, 24h at most",
                                            options.lasting));
  if (options.reason.empty()) return refuse(options.json, "--reason: 请写明原因 / say why");
  return ask_and_print(options.settings_file,
                       {{"command", "inhibit"},
                        {"owner", options.owner},
                        {"reason", options.reason},
                        {"lasting_ms", std::chrono::milliseconds{*lasting}.count()}},
                       options.json);
}

int reset_command(const ResetOptions& options) {
  return ask_and_print(options.settings_file,
                       {{"command", "reset"}, {"owner", options.owner}, {"reaction", options.reaction}},
                       options.json);
}

}  // namespace watchroom::agent
