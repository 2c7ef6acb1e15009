// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/output_commands.hpp"

#include <chrono>
#include <iostream>
#include <optional>
#include <span>
#include <thread>

#include <unistd.h>

#include "aggregator/cli/room_commands.hpp"
#include "aggregator/cli/table.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::cli {
namespace {

using namespace std::chrono_literals;

std::optional<std::string> path_of(const Console& console, const std::string& place) {
  const auto first = place.find('/'),
             second = place.find('/', first == std::string::npos ? first : first + 1);
  if (first == 0 || second == std::string::npos || second == first + 1 || second + 1 == place.size() ||
      place.find('/', second + 1) != std::string::npos) {
    complain(console.say("输出应写作 站点/采集代理/输出", "an output is SITE/AGENT/OUTPUT"));
    return std::nullopt;
  }
  return fmt::format("/api/v1/agents/{}/{}/outputs/{}/", percent_encoded(place.substr(0, first)),
                     percent_encoded(place.substr(first + 1, second - first - 1)),
                     percent_encoded(place.substr(second + 1)));
}

std::string text(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || object[key].is_null()) return "";
  return object[key].is_string() ? object[key].get<std::string>() : object[key].dump();
}

struct Word {
  std::string_view name, chinese, english;
  Colour colour;
  bool is_end = true;  // nothing more will happen soon
};
constexpr Word states[]{
    {"off", "关", "off", Colour::plain},
    {"on", "开", "on", Colour::green},
    {"failed", "动作失败", "does not obey", Colour::red},
    {"inhibited", "被抑制", "inhibited", Colour::yellow},
    {"unknown", "未知", "unknown", Colour::yellow},
    {"on_by_others", "被他人打开", "on, not by us", Colour::yellow},
};
constexpr Word targets[]{
    {"on", "开", "on", Colour::plain},
    {"off", "关", "off", Colour::plain},
    {"automatic", "自动", "automatic", Colour::plain},
};
constexpr Word progresses[]{
    {"sent", "已发出", "sent", Colour::yellow, false},
    {"under_way", "执行中，等待回读", "under way, not read back yet", Colour::yellow, false},
    {"done", "已执行，回读一致", "done, and read back", Colour::green},
    {"overruled", "被联动或抑制压过", "overruled by a reaction or an inhibit", Colour::yellow},
    {"refused", "被拒绝", "refused", Colour::red},
    {"failed", "未按时完成，已放弃", "not done in its time, given up", Colour::red},
    {"no_answer", "无答复，是否执行未知", "no answer: whether it was done is not known", Colour::red},
    {"ended", "已结束", "ended", Colour::plain},
};
Word word_of(std::span<const Word> words, std::string_view name) {
  for (const Word& word : words)
    if (word.name == name) return word;
  return {name, name, name, Colour::yellow};
}
Cell cell(const Console& console, std::span<const Word> words, std::string_view name) {
  const Word word = word_of(words, name);
  return {console.say(word.chinese, word.english), word.colour};
}

std::string place_of(const Json& output) {
  return fmt::format("{}/{}/{}", text(output, "site"), text(output, "agent"), text(output, "output"));
}

void print_plan(const Console& console, const Json& selection) {
  const Json& output = selection["output"];
  const auto say = [&](std::span<const Word> words, const std::string& name) {
    const Word word = word_of(words, name);
    return std::string{console.say(word.chinese, word.english)};
  };
  const std::string to = text(selection, "to");
  print(fmt::format("{} {}: {} → {}", console.say("输出", "output"), printable(place_of(output)),
                    say(states, text(output, "state")), say(targets, to)));
  if (to != "automatic")
    print(console.language == Language::chinese
              ? fmt::format("，保持 {} 秒后恢复自动", text(selection, "lasting_s"))
              : fmt::format(", for {} s, then automatic again", text(selection, "lasting_s")));
  print(fmt::format("\n  {}: {}\n", console.say("原因", "why"), printable(text(selection, "comment"))));
}

/// False: nothing is to be done.
bool is_agreed(const Console& console) {
  print(console.say("输入 yes 确认执行：", "type yes to do it: "));
  std::cout.flush();
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

void print_progress(const Console& console, const Json& order) {
  const Word word = word_of(progresses, text(order, "progress"));
  print(fmt::format("{} {}: {}\n", console.say("命令", "order"), text(order, "number"),
                    console.coloured(console.say(word.chinese, word.english), word.colour)));
  if (!text(order, "reason").empty()) print(fmt::format("  {}\n", printable(text(order, "reason"))));
}

/// To its end, or until it has been done.
int follow(const Client& client, const Console& console, const std::string& path, Json order) {
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::seconds{order.value("within_s", std::int64_t{10})} + 10s;
  std::string shown;
  bool was_done = false;
  while (true) {
    const std::string progress = text(order, "progress");
    if (const std::string now = progress + text(order, "reason"); !console.is_json && now != shown) {
      print_progress(console, order);
      shown = now;
    }
    was_done |= progress == "done" || (progress == "ended" && text(order, "reason").empty());
    if (word_of(progresses, progress).is_end || std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(250ms);
    const auto reply = client.get(path + "orders?limit=20");
    if (!reply) return give_up(console, reply.error());
    for (const Json& one : reply->json.value("orders", Json::array()))
      if (one.value("number", std::int64_t{0}) == order.value("number", std::int64_t{0})) {
        order = Json(one);
        break;
      }
  }
  if (console.is_json) print_json(order);
  return was_done ? exit_ok : exit_refused;
}

}  // namespace

int show_outputs(const Client& client, const Console& console) {
  const auto reply = client.get("/api/v1/outputs");
  if (!reply) return give_up(console, reply.error());
  if (console.is_json) {
    print(reply->body + "\n");
    return exit_ok;
  }
  Table table{{console.say("输出", "output"), console.say("状态", "state"),
               console.say("最近命令", "last order"), console.say("由", "by"),
               console.say("进展", "progress"), console.say("原因", "why")}};
  for (const Json& output : reply->json.value("outputs", Json::array())) {
    const Json order = output.value("order", Json());
    Cell state = cell(console, states, text(output, "state"));
    if (!output.value("is_live", false))
      state = Cell{state.text + std::string{console.say("（不在线）", " (away)")}, Colour::grey};
    if (order.is_null()) {
      table.add({place_of(output), state, "", "", "", ""});
      continue;
    }
    table.add({place_of(output), state, cell(console, targets, text(order, "to")), text(order, "by"),
               cell(console, progresses, text(order, "progress")), text(order, "comment")});
  }
  if (table.empty())
    print(fmt::format("{}\n", console.say("没有输出", "there are no outputs")));
  else
    print(table.str(console));
  return exit_ok;
}

int show_output_orders(const Client& client, const Console& console, const std::string& place) {
  const auto path = path_of(console, place);
  if (!path) return exit_usage;
  const auto reply = client.get(*path + "orders");
  if (!reply) return give_up(console, reply.error());
  if (console.is_json) {
    print(reply->body + "\n");
    return exit_ok;
  }
  Table table{{console.say("编号", "number"), console.say("时间", "at"), console.say("命令", "order"),
               console.say("由", "by"), console.say("进展", "progress"), console.say("原因", "why"),
               console.say("说明", "detail")}};
  for (const Json& order : reply->json.value("orders", Json::array()))
    table.add({text(order, "number"), text(order, "at"), cell(console, targets, text(order, "to")),
               text(order, "by"), cell(console, progresses, text(order, "progress")), text(order, "comment"),
               text(order, "reason")});
  print(table.str(console));
  return exit_ok;
}

int switch_output(const Client& client, const Console& console, const std::string& place,
                  const WantedOutput& wanted) {
  const auto path = path_of(console, place);
  if (!path) return exit_usage;
  if (!wanted.is_confirmed && (console.is_json || ::isatty(STDIN_FILENO) == 0)) {
    complain(console.say("没有终端可以确认：请加 --yes", "there is no terminal to confirm on: add --yes"));
    return exit_usage;
  }
  const auto selected = client.post(*path + "selections", {{"to", wanted.to},
                                                           {"lasting_s", wanted.lasting_s},
                                                           {"within_s", wanted.within_s},
                                                           {"comment", wanted.comment}});
  if (!selected) return give_up(console, selected.error());
  if (!console.is_json) print_plan(console, selected->json);
  if (!wanted.is_confirmed && !is_agreed(console)) {
    complain(console.say("未执行", "nothing was done"));
    return exit_refused;
  }
  const auto ordered = client.post(*path + "orders", {{"selection", text(selected->json, "selection")}});
  if (!ordered) return give_up(console, ordered.error());
  return follow(client, console, *path, ordered->json);
}

}  // namespace watchroom::cli
