// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/configuration_commands.hpp"

#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "aggregator/cli/table.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::cli {
namespace {

using namespace std::chrono_literals;

int give_up(const Console& console, const Error& error) {
  if (console.is_json) print_json(Json{{"error", error.text}});
  complain(error.text);
  return error.code == Errc::invalid ? exit_usage : exit_refused;
}

std::optional<std::string> path_of(const Console& console, const std::string& place) {
  const auto slash = place.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == place.size() ||
      place.find('/', slash + 1) != std::string::npos) {
    complain(console.say("采集代理应写作 站点/采集代理", "an agent is SITE/AGENT"));
    return std::nullopt;
  }
  return fmt::format("/api/v1/agents/{}/{}/configuration", percent_encoded(place.substr(0, slash)),
                     percent_encoded(place.substr(slash + 1)));
}

std::string text(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return "";
  return object[key].is_string() ? object[key].get<std::string>() : object[key].dump();
}

/// What agents and people wrote: nothing in it is obeyed by the terminal, but for the ends of its lines.
void print_lines(std::string_view content) {
  while (!content.empty()) {
    const auto end = content.find('\n');
    print(printable(content.substr(0, end)) + "\n");
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
  }
}

struct Word {
  std::string_view name, chinese, english;
  Colour colour;
  bool is_end;  // nothing more will happen by itself
};
constexpr Word words[]{
    {"waiting", "等待采集代理上线", "waits for the agent", Colour::yellow, false},
    {"sent", "已下发，等待答复", "sent, not heard of yet", Colour::yellow, false},
    {"on_trial", "试运行", "on trial", Colour::yellow, false},
    {"in_force", "已生效", "in force", Colour::green, true},
    {"refused", "被采集代理拒绝", "refused by the agent", Colour::red, true},
    {"fallen_back", "试运行失败，已回退", "did not prove itself; the one before runs again", Colour::red,
     true},
};
const Word& word_of(const Json& view) {
  const std::string name = text(view, "progress");
  for (const Word& word : words)
    if (word.name == name) return word;
  return words[0];
}

void print_progress(const Console& console, const Json& view) {
  const Word& word = word_of(view);
  print(fmt::format("{} {}: {}\n", console.say("配置", "configuration"), text(view, "number"),
                    console.coloured(console.say(word.chinese, word.english), word.colour)));
  if (!text(view, "trouble").empty()) print(fmt::format("  {}\n", printable(text(view, "trouble"))));
  if (word.colour == Colour::red) print_lines(text(view, "reasons"));
}

/// Follows it until it is over; nothing is lost when nobody looks.
int follow(const Client& client, const Console& console, const std::string& path, Json view) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  std::string shown;
  while (true) {
    if (const std::string now = text(view, "progress") + text(view, "trouble");
        !console.is_json && now != shown) {
      print_progress(console, view);
      shown = now;
    }
    if (word_of(view).is_end || std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(500ms);
    const auto reply = client.get(path);
    if (!reply) return give_up(console, reply.error());
    view = reply->json;
  }
  if (console.is_json) print_json(view);
  if (!word_of(view).is_end)
    complain(console.say("仍在进行；用 config show 查看", "it goes on; look with `config show`"));
  return word_of(view).colour == Colour::red ? exit_refused : exit_ok;
}

int give(const Client& client, const Console& console, const std::string& path, const std::string& content,
         const std::string& comment) {
  const auto reply = client.put(path, {{"text", content}, {"comment", comment}});
  if (!reply) return give_up(console, reply.error());
  return follow(client, console, path, reply->json);
}

}  // namespace

int show_configuration(const Client& client, const Console& console, const std::string& place) {
  const auto path = path_of(console, place);
  if (!path) return exit_usage;
  const auto reply = client.get(*path);
  if (!reply) return give_up(console, reply.error());
  if (console.is_json) {
    print(reply->body + "\n");
    return exit_ok;
  }
  print_progress(console, reply->json);
  print(fmt::format("{} {}  {}\n\n", printable(text(reply->json, "by")), text(reply->json, "at"),
                    printable(text(reply->json, "comment"))));
  print_lines(text(reply->json, "text"));
  return exit_ok;
}

int show_configuration_history(const Client& client, const Console& console, const std::string& place) {
  const auto path = path_of(console, place);
  if (!path) return exit_usage;
  const auto reply = client.get(*path + "s");
  if (!reply) return give_up(console, reply.error());
  if (console.is_json) {
    print(reply->body + "\n");
    return exit_ok;
  }
  Table table{{console.say("编号", "number"), console.say("时间", "at"), console.say("由", "by"),
               console.say("说明", "comment"), console.say("字节", "bytes")}};
  for (const Json& kept : reply->json.value("configurations", Json::array()))
    table.add({text(kept, "number"), text(kept, "at"), text(kept, "by"), text(kept, "comment"),
               std::to_string(text(kept, "text").size())});
  print(table.str(console));
  return exit_ok;
}

int give_configuration(const Client& client, const Console& console, const std::string& place,
                       const std::string& file, const std::string& comment) {
  const auto path = path_of(console, place);
  if (!path) return exit_usage;
  std::ifstream in{file, std::ios::binary};
  if (!in) {
    complain(fmt::format("{}: {}", file, console.say("无法读取", "cannot be read")));
    return exit_usage;
  }
  return give(client, console, *path, {std::istreambuf_iterator<char>{in}, {}}, comment);
}

int restore_configuration(const Client& client, const Console& console, const std::string& place,
                          std::int64_t number) {
  const auto path = path_of(console, place);
  if (!path) return exit_usage;
  const auto reply = client.get(*path + "s?limit=1000");
  if (!reply) return give_up(console, reply.error());
  for (const Json& kept : reply->json.value("configurations", Json::array()))
    if (kept.value("number", std::int64_t{0}) == number)
      return give(client, console, *path, text(kept, "text"),
                  fmt::format("{} {}", console.say("恢复", "restores"), number));
  complain(fmt::format("{} {}", console.say("没有这个编号的配置：", "there is no configuration"), number));
  return exit_refused;
}

}  // namespace watchroom::cli
