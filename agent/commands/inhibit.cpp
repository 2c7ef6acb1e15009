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

int ask_and_print(const std::filesystem::path& settings_file, const json& request) {
  Problems problems;
  const auto settings = AgentSettings::load(settings_file, problems);
  if (!settings) {
    fmt::print(stderr, "{}", problems.str());
    return wrong_input;
  }
  const auto answer =
      ask_running_agent(settings->data_dir, request.dump(-1, ' ', false, json::error_handler_t::replace));
  if (!answer) {
    fmt::print(stderr, "{}\n", answer.error().text);
    return did_not_work;
  }
  const json reply = json::parse(*answer, nullptr, false);
  if (!reply.is_object() || reply.contains("error")) {
    fmt::print(stderr, "{}\n", reply.is_object() ? reply.at("error").get<std::string>() : *answer);
    return did_not_work;
  }
  fmt::print("完成 done: {}\n", reply.value("done", ""));
  if (reply.contains("warning")) fmt::print(stderr, "{}\n", reply.at("warning").get<std::string>());
  return done;
}

}  // namespace

int inhibit_command(const InhibitOptions& options) {
  if (options.is_end)
    return ask_and_print(options.settings_file, {{"command", "end_inhibit"}, {"owner", options.owner}});
  const auto lasting = duration_in(options.lasting);
  if (!lasting || *lasting > longest_inhibit) {
    fmt::print(
        stderr,
        "--for: \"{}\" 无效，应为如 30m、2h，最长 24h; is not valid, expected 30m or 2h, 24h at most\n",
        options.lasting);
    return wrong_input;
  }
  if (options.reason.empty()) {
    fmt::print(stderr, "--reason: 请写明原因 say why\n");
    return wrong_input;
  }
  return ask_and_print(options.settings_file, {{"command", "inhibit"},
                                               {"owner", options.owner},
                                               {"reason", options.reason},
                                               {"lasting_ms", std::chrono::milliseconds{*lasting}.count()}});
}

int reset_command(const ResetOptions& options) {
  return ask_and_print(options.settings_file,
                       {{"command", "reset"}, {"owner", options.owner}, {"reaction", options.reaction}});
}

}  // namespace watchroom::agent
