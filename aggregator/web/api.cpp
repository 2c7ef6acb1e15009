// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/api.hpp"

#include <algorithm>
#include <charconv>
#include <exception>

#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::size_t longest_comment = 2'000;  // bytes

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// ASCII only: enough for ids, and Chinese has no case.
bool contains(std::string_view text, std::string_view lower_case) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; };
  return std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(), same) != text.end();
}

Answer json(const Json& body) {
  Answer answer;
  answer.body = to_text(body);
  return answer;
}

template <typename View>
Json array_of(const std::vector<View>& views) {
  Json array = Json::array();
  for (const View& view : views) array.push_back(to_json(view));
  return array;
}

Answer malformed_query(std::string_view name, std::string_view expected) {
  return refuse(Refusal::malformed, fmt::format("query parameter {}: expected {}", for_log(name), expected),
                fmt::format("查询参数 {} 无效，应为 {}。", for_log(name), expected));
}

/// 1 to `most`; `fallback` when absent; nothing when it is neither.
std::optional<std::size_t> limit_of(const Call& call, std::size_t fallback, std::int64_t most) {
  const std::string_view text = call.query("limit");
  if (text.empty()) return fallback;
  const auto limit = integer_of(text);
  if (!limit || *limit < 1 || *limit > most) return std::nullopt;
  return static_cast<std::size_t>(*limit);
}

std::optional<Answer> check_query(const Route& route, const Request& request) {
  for (const auto& pair : request.query) {
    const std::string& name = pair.first;
    const auto is_known = std::any_of(route.query.begin(), route.query.end(),
                                      [&](const Parameter& parameter) { return parameter.name == name; });
    if (is_known) continue;
    std::string names;
    for (const Parameter& parameter : route.query)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", parameter.name);
    return malformed_query(name, names.empty() ? "no parameters / 无参数" : names);
  }
  return std::nullopt;
}

bool is_json(std::string_view content_type) {
  constexpr std::string_view expected = "application/json";
  if (content_type.size() < expected.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (content_type[i] != expected[i] && (content_type[i] | 0x20) != expected[i]) return false;
  return content_type.size() == expected.size() || content_type[expected.size()] == ';' ||
         content_type[expected.size()] == ' ';
}

}  // namespace

Api::Api(Room& room, AgentIdentities& identities, Gate& gate, const Clock& clock, FiguresNow figures, Log log)
    : room_{room},
      identities_{identities},
      gate_{gate},
      clock_{clock},
      figures_{std::move(figures)},
      log_{log.tagged("web")} {}

Answer Api::answer(const Route& route, const std::vector<std::string>& places, const Request& request) {
  try {
    return pass(route, places, request);
  } catch (const std::exception& error) {
    log_.error("{} {} failed: {}", route.method, route.pattern, error.what());
    return refuse(Refusal::failed, "The log says more.", "详见服务器日志。");
  }
}

Answer Api::pass(const Route& route, const std::vector<std::string>& places, const Request& request) {
  const std::optional<Visitor> visitor = gate_.identify(request);
  const bool is_free =
      route.entry == Entry::open || (route.entry == Entry::loopback_or_role && request.is_loopback);
  if (!is_free)
    // Every role may view, so any_role needs no case of its own beyond being somebody.
    if (auto refusal = gate_.refusal(request, visitor, route.action)) return *std::move(refusal);
  if (auto refusal = check_query(route, request)) return *std::move(refusal);
  if (route.body_example && !is_json(request.content_type))
    return refuse(Refusal::not_json, "Send Content-Type: application/json.",
                  "请求须带 Content-Type: application/json。");
  return (this->*route.handler)(Call{request, visitor, places});
}

Answer Api::log_in(const Call& call) { return gate_.log_in(call.request); }

Answer Api::who_am_i(const Call& call) {
  Answer answer;
  answer.body = session_text(call.visitor->person, call.visitor->expires_at);
  return answer;
}

Answer Api::log_out(const Call& call) { return gate_.log_out(*call.visitor, call.request); }

Answer Api::status(const Call&) { return json(to_json(room_.status(), clock_)); }

Answer Api::points(const Call& call) {
  std::string text{call.query("q")};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c); });
  const auto is = [](std::string_view wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  const auto site = call.query("site"), agent = call.query("agent"), device = call.query("device"),
             name = call.query("name");
  const auto wanted = [&](const PointView& point) {
    return is(site, point.site) && is(agent, point.agent) && is(device, point.device) &&
           is(name, point.name) &&
           (text.empty() || contains(point.id(), text) || contains(point.label_zh, text) ||
            contains(point.label_en, text) || contains(point.device_name, text));
  };
  const std::uint64_t version =
      room_.version();  // read first: a change in between is reported again, never lost
  const Timestamp now = clock_.now();
  Json points = Json::array();
  for (const PointView& point : room_.points(0, wanted)) points.push_back(to_json(point, now));
  return json({{"points", std::move(points)}, {"version", version}});
}

Answer Api::samples(const Call& call) {
  const std::string id{call.query("id")};
  if (id.empty()) return malformed_query("id", "site/agent/device/name");
  Timestamp since = clock_.now() - std::chrono::hours{1};
  if (const std::string_view text = call.query("since"); !text.empty()) {
    const auto parsed = from_rfc3339(text);
    if (!parsed) return malformed_query("since", "2026-11-21T03:00:00Z");
    since = *parsed;
  }
  const auto limit = limit_of(call, 1'000, 10'000);
  if (!limit) return malformed_query("limit", "1…10000");
  const auto samples = room_.samples(id, since, *limit);
  if (!samples) return refuse(samples.error());
  return json({{"samples", array_of(*samples)}});
}

Answer Api::alarms(const Call& call) {
  const auto limit = limit_of(call, 200, 1'000);
  if (!limit) return malformed_query("limit", "1…1000");
  const std::string_view state = call.query("state");
  if (state == "all") {
    const auto alarms = room_.alarm_history(*limit);
    if (!alarms) return refuse(alarms.error());
    return json({{"alarms", array_of(*alarms)}});
  }
  if (!state.empty() && state != "open") return malformed_query("state", "open, all");
  auto open = room_.alarms(0);
  std::sort(open.begin(), open.end(), [](const AlarmView& a, const AlarmView& b) { return a.id > b.id; });
  // An open alarm is never left out unless the caller asked for fewer.
  if (!call.query("limit").empty() && open.size() > *limit) open.resize(*limit);
  return json({{"alarms", array_of(open)}});
}

Answer Api::acknowledge(const Call& call) {
  const auto id = integer_of(call.places.at(0));
  if (!id) return refuse(Refusal::not_found, "Alarm ids are numbers.", "告警编号须为数字。");
  std::string comment;
  if (!call.request.body.empty()) {
    const Json body = Json::parse(call.request.body, nullptr, false);
    const bool has_comment = body.is_object() && body.contains("comment");
    if (!body.is_object() || (has_comment && !body["comment"].is_string()))
      return refuse(Refusal::malformed, R"(Expected {"comment": "…"}.)", R"(应为 {"comment": "…"}。)");
    if (has_comment) comment = body["comment"].get<std::string>();
  }
  if (comment.size() > longest_comment)
    return refuse(Refusal::malformed, fmt::format("The comment is longer than {} bytes.", longest_comment),
                  fmt::format("备注超过 {} 字节。", longest_comment));
  const std::string& by = call.visitor->person.name;
  const auto alarm = room_.acknowledge(*id, by, comment);
  if (!alarm) return refuse(alarm.error());
  log_.info("acknowledged: alarm {} by {} from {}, comment {}", *id, for_log(by), call.request.address,
            for_log(comment));
  return json(to_json(*alarm));
}

Answer Api::request_class(const Call& call) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  const bool is_text = body.is_object() && body.contains("class") && body["class"].is_string();
  const std::string wanted = is_text ? body["class"].get<std::string>() : "";
  if (body.size() != 1 || (wanted != "core" && wanted != "key" && wanted != "general"))
    return refuse(Refusal::malformed, R"(Expected {"class": "core"}, "key" or "general".)",
                  R"(应为 {"class": "core"}，或 "key"、"general"。)");
  const DevicePlace place{call.places.at(0), call.places.at(1), call.places.at(2)};
  const std::string& by = call.visitor->person.name;
  const auto device = room_.request_class(place, wanted, by);
  if (!device && device.error().code == Errc::conflict)
    return refuse(Refusal::out_of_reach, device.error().text,
                  "采集代理不在线，或者它不支持由监控中心更改设备等级。");
  if (!device) return refuse(device.error());
  log_.info("class: {}/{}/{} to be {}, asked by {} from {}", for_log(place.site), for_log(place.agent),
            for_log(place.device), wanted, for_log(by), call.request.address);
  Answer answer = json(to_json(*device));
  answer.status = 202;
  return answer;
}

Answer Api::agents(const Call&) { return json({{"agents", array_of(room_.agents(0))}}); }

Answer Api::events(const Call& call) {
  Answer answer;
  answer.content_type = "text/event-stream; charset=utf-8";
  answer.stream_to = call.visitor;
  return answer;
}

Answer Api::description(const Call&) { return json(openapi()); }

Answer Api::metrics(const Call&) {
  Answer answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = to_prometheus(room_.status(), clock_.steady(), figures_());
  return answer;
}

}  // namespace watchroom::aggregator
