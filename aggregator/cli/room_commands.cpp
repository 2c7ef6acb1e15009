// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/room_commands.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "aggregator/cli/table.hpp"
#include "proto/base/clock.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::cli {
namespace {

std::string text(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return "";
  const Json& value = object[key];
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump();
}

std::string count(const Json& object, const char* key) { return text(object, key); }

/// The field in the console's language: `title_zh` or `title_en`.
std::string spoken(const Console& console, const Json& object, const std::string& stem) {
  const bool is_chinese = console.language == Language::chinese;
  const std::string first = text(object, (stem + (is_chinese ? "_zh" : "_en")).c_str());
  return first.empty() ? text(object, (stem + (is_chinese ? "_en" : "_zh")).c_str()) : first;
}

/// In the time zone of whoever reads it.
std::string local_time(const Json& object, const char* key) {
  const auto at = from_rfc3339(text(object, key));
  if (!at) return "—";
  const std::time_t seconds = to_ms(*at) / 1000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char out[32];
  return {out, std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string age(const Console& console, const Json& point) {
  if (!point.contains("age_s") || !point["age_s"].is_number()) return "—";
  const auto seconds = static_cast<std::int64_t>(point["age_s"].get<double>());
  if (seconds < 120) return fmt::format("{} {}", seconds, console.say("秒", "s"));
  if (seconds < 7200) return fmt::format("{} {}", seconds / 60, console.say("分", "min"));
  return fmt::format("{} {}", seconds / 3600, console.say("时", "h"));
}

std::string number(const Json& value) {
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
}

struct Word {
  std::string_view name, chinese, english;
  Colour colour;
};

constexpr Word words[] = {
    {"good", "有效", "good", Colour::green},
    {"clock_unsure", "时钟不可信", "clock unsure", Colour::yellow},
    {"stale", "过期", "stale", Colour::yellow},
    {"bad", "无效", "bad", Colour::red},
    {"online", "在线", "online", Colour::green},
    {"offline", "离线", "offline", Colour::red},
    {"unknown", "未知", "unknown", Colour::yellow},
    {"connected", "已连接", "connected", Colour::green},
    {"unreachable", "无法连接", "unreachable", Colour::red},
    {"critical", "紧急", "critical", Colour::red},
    {"major", "重要", "major", Colour::red},
    {"minor", "次要", "minor", Colour::yellow},
    {"warning", "提示", "warning", Colour::plain},
    {"normal", "已恢复", "normal", Colour::green},
    {"unacknowledged", "未确认", "unacknowledged", Colour::red},
    {"acknowledged", "已确认", "acknowledged", Colour::plain},
    {"returned_unacknowledged", "已恢复未确认", "returned, unacknowledged", Colour::yellow},
    {"sent", "已发送", "sent", Colour::plain},
    {"waiting", "待发送", "waiting", Colour::yellow},
    {"failed", "发送失败", "failed", Colour::red},
    {"none", "—", "—", Colour::plain},
    {"ok", "正常", "ok", Colour::green},
    {"no_answer", "无应答", "no answer", Colour::red},
    {"refused", "被拒绝", "refused", Colour::red},
    {"not_authorized", "认证失败", "not authorized", Colour::red},
    {"corrupt", "应答损坏", "corrupt", Colour::red},
    {"removed", "已移除", "removed", Colour::grey},
    {"working", "正常", "working", Colour::green},
    {"failing", "磁盘拒绝写入", "the disk refuses", Colour::red},
    {"not_connected", "未连接", "not connected", Colour::red},
    {"core", "核心", "core", Colour::plain},
    {"key", "关键", "key", Colour::plain},
    {"general", "一般", "general", Colour::plain},
    {"unheard", "从未上线", "never heard", Colour::yellow},
    {"certificate_valid", "有效至", "valid until", Colour::plain},
    {"certificate_expired", "已过期", "ran out on", Colour::red},
    {"certificate_revoked", "已吊销", "revoked on", Colour::red},
    {"certificate_invited", "待登记，令牌有效至", "invited until", Colour::yellow},
    {"certificate_none", "未登记", "not enrolled here", Colour::grey},
    {"pending", "已下发，等待生效", "asked for, not yet carried out", Colour::yellow},
    {"not_carried_out", "未能生效", "not carried out", Colour::red},
};

Cell word(const Console& console, const std::string& name) {
  for (const Word& row : words)
    if (row.name == name) return {console.say(row.chinese, row.english), row.colour};
  return {name};
}

/// An alarm that the device's profile asks for says so.
std::string titled(const Console& console, const Json& alarm) {
  const std::string title = spoken(console, alarm, "title");
  if (text(alarm, "origin") != "profile") return title;
  return title + std::string{console.say("（设备模板）", " (from its profile)")};
}

std::string place(const Json& object) {
  std::string out = text(object, "site") + "/" + text(object, "agent");
  if (const std::string device = text(object, "device"); !device.empty()) out += "/" + device;
  return out;
}

/// What an agent tells about itself is no device of the room.
std::string_view the_agent_itself(const Console& console) {
  return console.say("采集代理自身", "the agent itself");
}

std::string device_of(const Console& console, const Json& point) {
  const bool is_self = text(point, "device") == "self" && text(point, "maker") == "Watchroom" &&
                       text(point, "model") == "agent";
  return is_self ? std::string{the_agent_itself(console)} : text(point, "device_name");
}

/// Asks, and prints the answer as it came when JSON is wanted. The answer only if there is more to do.
std::optional<Json> ask(const Client& client, const Console& console, const std::string& path, int& ended) {
  auto reply = client.get(path);
  if (!reply) {
    ended = give_up(console, reply.error());
    return std::nullopt;
  }
  ended = exit_ok;
  if (!console.is_json) return std::move(reply->json);
  print(reply->body + "\n");
  return std::nullopt;
}

void print_rows(const Console& console, const Table& table, std::string_view when_empty) {
  print(table.empty() ? std::string{when_empty} + "\n" : table.str(console));
}

Cell value_of(const Console& console, const Json& point) {
  const std::string state =
      console.language == Language::chinese ? text(point, "state_zh") : text(point, "state");
  const auto shown = [&](const Json& value) {
    if (!state.empty()) return state;
    const std::string symbol = text(point, "unit_symbol");
    return number(value) + (symbol.empty() ? "" : " " + symbol);
  };
  if (!point.value("value", Json{}).is_null()) return {shown(point["value"])};
  const Json last = point.value("last_value", Json{});
  if (last.is_null()) return {"—", Colour::grey};
  return {fmt::format("— ({} {})", console.say("上次", "last"), shown(last)), Colour::grey};
}

}  // namespace

int give_up(const Console& console, const Error& error) {
  if (console.is_json) print_json(Json{{"error", {{"code", name_of(error.code)}, {"text", error.text}}}});
  complain(fmt::format("{}{}", console.say("错误：", "error: "), error.text));
  return error.code == Errc::invalid ? exit_usage : exit_refused;
}

namespace {

void add_own_state(const Console& console, const Json& status, Table& table) {
  const Json intake = status.value("intake", Json::object());
  table.add(
      {console.say("存储", "store"), word(console, text(status.value("store", Json::object()), "state"))});
  table.add(
      {console.say("接收队列", "intake queue"), count(intake, "queue") + " / " + count(intake, "capacity")});
  const std::string refused = count(intake, "refused");
  table.add({console.say("队列满丢弃", "refused, queue full"),
             Cell{refused, refused == "0" ? Colour::plain : Colour::red}});
  const double age = status.contains("core_age_s") && status["core_age_s"].is_number()
                         ? status["core_age_s"].get<double>()
                         : 0.0;
  if (age > 5)
    table.add({console.say("监控中心核心", "core"),
               Cell{fmt::format("{} {:.0f} s", console.say("无响应已", "stuck for"), age), Colour::red}});
}

}  // namespace

int show_status(const Client& client, const Console& console) {
  int ended = exit_ok;
  const auto status = ask(client, console, "/api/v1/status", ended);
  if (!status) return ended;
  const Json counts = status->value("counts", Json::object()),
             broker = status->value("broker", Json::object());
  Table table{{console.say("项目", "what"), console.say("现状", "now")}};
  table.add({console.say("版本", "version"), text(*status, "version")});
  table.add({console.say("时间", "time"), local_time(*status, "time")});
  table.add({console.say("消息服务器", "broker"), word(console, text(broker, "state"))});
  table.add({console.say("采集代理在线", "agents online"),
             count(counts, "agents_online") + " / " + count(counts, "agents")});
  table.add({console.say("设备", "devices"), count(counts, "devices")});
  table.add({console.say("有效测点", "points good"),
             count(counts, "points_good") + " / " + count(counts, "points")});
  const std::string unacknowledged = count(counts, "alarms_unacknowledged");
  table.add({console.say("告警", "alarms open"), count(counts, "alarms_open")});
  table.add({console.say("未确认告警", "alarms unacknowledged"),
             Cell{unacknowledged, unacknowledged == "0" ? Colour::plain : Colour::red}});
  table.add({console.say("待发邮件", "mails waiting"), count(counts, "mails_waiting")});
  table.add({console.say("失败邮件", "mails failed"), count(counts, "mails_failed")});
  add_own_state(console, *status, table);
  print(table.str(console));
  return exit_ok;
}

int show_points(const Client& client, const Console& console, const std::string& filter) {
  int ended = exit_ok;
  const auto answer =
      ask(client, console, "/api/v1/points" + (filter.empty() ? "" : "?q=" + percent_encoded(filter)), ended);
  if (!answer) return ended;
  Table table{{console.say("位置", "where"), console.say("设备", "device"), console.say("测点", "point"),
               console.say("名称", "label"), console.say("数值", "value"), console.say("质量", "quality"),
               console.say("时间", "age")}};
  for (const Json& point : answer->value("points", Json::array()))
    table.add({place(point), device_of(console, point), text(point, "name"), spoken(console, point, "label"),
               value_of(console, point), word(console, text(point, "quality")), age(console, point)});
  print_rows(console, table, console.say("没有测点。", "There are no points."));
  return exit_ok;
}

int show_alarms(const Client& client, const Console& console, bool all) {
  int ended = exit_ok;
  const auto answer = ask(client, console, all ? "/api/v1/alarms?state=all" : "/api/v1/alarms", ended);
  if (!answer) return ended;
  Table table{{console.say("编号", "id"), console.say("级别", "severity"), console.say("告警", "alarm"),
               console.say("位置", "where"), console.say("状态", "state"),
               console.say("发生时间", "raised at"), console.say("确认人", "acknowledged by"),
               console.say("邮件", "mail")}};
  for (const Json& alarm : answer->value("alarms", Json::array()))
    table.add({text(alarm, "id"), word(console, text(alarm, "severity")), titled(console, alarm),
               place(alarm), word(console, text(alarm, "state")), local_time(alarm, "raised_at"),
               text(alarm, "acknowledged_by"), word(console, text(alarm, "mail"))});
  print_rows(console, table,
             all ? console.say("没有告警记录。", "There are no alarms on record.")
                 : console.say("没有未关闭的告警。", "There are no open alarms."));
  return exit_ok;
}

int acknowledge(const Client& client, const Console& console, std::int64_t alarm,
                const std::string& comment) {
  const auto reply = client.post(fmt::format("/api/v1/alarms/{}/acknowledge", alarm), {{"comment", comment}});
  if (!reply) return give_up(console, reply.error());
  if (console.is_json)
    print(reply->body + "\n");
  else
    print(printable(fmt::format("{} {}: {}", console.say("已确认告警", "acknowledged alarm"), alarm,
                                spoken(console, reply->json, "title"))) +
          "\n");
  return exit_ok;
}

namespace {

std::string device_name(const Console& console, const Json& device) {
  const bool is_self = device.contains("is_self") && device["is_self"] == true;
  return is_self ? std::string{the_agent_itself(console)} : text(device, "name");
}

Cell class_of(const Console& console, const Json& device) {
  const std::string now = word(console, text(device, "class")).text;
  const std::string request = text(device, "class_request");
  if (request.empty() || request == "none") return {now};
  const Cell state = word(console, request);
  return {fmt::format("{} → {}（{}）", now, word(console, text(device, "class_wanted")).text, state.text),
          state.colour};
}

/// "hq/room1/ups1" as its three parts; none of them holds a '/'.
std::optional<std::array<std::string, 3>> parts_of(const std::string& place) {
  const auto first = place.find('/');
  const auto second = first == std::string::npos ? first : place.find('/', first + 1);
  if (second == std::string::npos || place.find('/', second + 1) != std::string::npos) return std::nullopt;
  std::array parts{place.substr(0, first), place.substr(first + 1, second - first - 1),
                   place.substr(second + 1)};
  if (parts[0].empty() || parts[1].empty() || parts[2].empty()) return std::nullopt;
  return parts;
}

void print_class(const Console& console, const std::string& place, const Json& device) {
  Table table{{console.say("项目", "what"), console.say("现状", "now")}};
  table.add({console.say("设备", "device"), place});
  table.add({console.say("名称", "name"), device_name(console, device)});
  table.add({console.say("等级", "class"), class_of(console, device)});
  const std::string configured = text(device, "class_configured");
  table.add({console.say("配置文件中的等级", "class in the agent's settings"),
             configured.empty() ? Cell{"—"} : word(console, configured)});
  const std::string interval = text(device, "poll_interval_ms");
  table.add({console.say("采集间隔", "poll interval"), interval.empty() ? "—" : interval + " ms"});
  print(table.str(console));
}

}  // namespace

int device_class(const Client& client, const Console& console, const std::string& place,
                 const std::string& wanted) {
  const auto parts = parts_of(place);
  if (!parts)
    return give_up(console,
                   fail(Errc::invalid, Retry::never, "{}",
                        console.say("设备应写作 站点/采集代理/设备", "a device is SITE/AGENT/DEVICE")));
  const auto& [site, agent, id] = *parts;
  if (!wanted.empty()) {
    const auto reply = client.put(fmt::format("/api/v1/devices/{}/{}/{}/class", percent_encoded(site),
                                              percent_encoded(agent), percent_encoded(id)),
                                  {{"class", wanted}});
    if (!reply) return give_up(console, reply.error());
    if (console.is_json)
      print(reply->body + "\n");
    else
      print_class(console, place, reply->json);
    return exit_ok;
  }
  const auto reply = client.get("/api/v1/agents");
  if (!reply) return give_up(console, reply.error());
  for (const Json& each : reply->json.value("agents", Json::array())) {
    if (text(each, "site") != site || text(each, "agent") != agent) continue;
    for (const Json& device : each.value("devices", Json::array())) {
      if (text(device, "id") != id) continue;
      if (console.is_json)
        print_json(device);
      else
        print_class(console, place, device);
      return exit_ok;
    }
  }
  return give_up(console, fail(Errc::not_found, Retry::never, "{} {}",
                               console.say("没有这个设备：", "there is no device"), place));
}

/// "valid until 2027-11-27", in words; who has none was never enrolled here.
Cell certificate_of(const Console& console, const Json& identities, const Json& agent) {
  for (const Json& one : identities) {
    if (text(one, "site") != text(agent, "site") || text(one, "agent") != text(agent, "agent")) continue;
    const Cell state = word(console, "certificate_" + text(one, "state"));
    const char* since = text(one, "state") == "revoked"   ? "revoked_at"
                        : text(one, "state") == "invited" ? "invited_until"
                                                          : "valid_until";
    return {state.text + " " + local_time(one, since), state.colour};
  }
  return word(console, "certificate_none");
}

/// An agent that has a certificate or a token, and was never heard.
std::vector<Json> unheard(const Json& identities, const Json& agents) {
  std::vector<Json> found;
  for (const Json& one : identities) {
    const bool is_known = std::any_of(agents.begin(), agents.end(), [&](const Json& agent) {
      return text(one, "site") == text(agent, "site") && text(one, "agent") == text(agent, "agent");
    });
    if (!is_known) found.push_back(one);
  }
  return found;
}

int show_agents(const Client& client, const Console& console) {
  const auto reply = client.get("/api/v1/agents");
  if (!reply) return give_up(console, reply.error());
  const auto certified = client.get("/api/v1/identities");
  if (!certified) return give_up(console, certified.error());
  Json all = reply->json;
  all["identities"] = certified->json.value("identities", Json::array());
  if (console.is_json) {
    print_json(all);
    return exit_ok;
  }
  const Json& identities = all["identities"];
  Table table{{console.say("采集代理", "agent"), console.say("名称", "name"), console.say("状态", "state"),
               console.say("自", "since"), console.say("版本", "version"), console.say("记录", "records"),
               console.say("未到", "missing"), console.say("丢失", "lost"),
               console.say("证书", "certificate")}};
  Table devices{{console.say("设备", "device"), console.say("名称", "name"), console.say("型号", "model"),
                 console.say("等级", "class"), console.say("通信", "communication"),
                 console.say("自", "since"), console.say("说明", "says")}};
  const Json agents = all.value("agents", Json::array());
  for (const Json& agent : agents) {
    const Json journal = agent.value("journal", Json::object());
    table.add({place(agent), text(agent, "name"), word(console, text(agent, "state")),
               local_time(agent, "since"), text(agent, "version"),
               count(journal, "acknowledged") + " / " + count(journal, "head"), count(journal, "missing"),
               count(journal, "lost"), certificate_of(console, identities, agent)});
    for (const Json& device : agent.value("devices", Json::array()))
      devices.add({place(agent) + "/" + text(device, "id"), device_name(console, device),
                   text(device, "maker") + " " + text(device, "model"), class_of(console, device),
                   word(console, text(device, "communication")), local_time(device, "since"),
                   text(device, "communication_text")});
  }
  for (const Json& one : unheard(identities, agents))
    table.add({place(one), "", word(console, "unheard"), "", "", "", "", "",
               certificate_of(console, identities, one)});
  print_rows(console, table, console.say("没有采集代理。", "There are no agents."));
  if (!devices.empty()) print("\n" + devices.str(console));
  return exit_ok;
}

}  // namespace watchroom::cli
