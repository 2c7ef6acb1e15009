// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/api.hpp"

#include <algorithm>
#include <exception>

#include "aggregator/web/asked.hpp"
#include "aggregator/web/refusal.hpp"
#include "aggregator/web/seen_part.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::size_t longest_comment = 2'000;  // bytes

/// ASCII only: enough for ids, and Chinese has no case.
bool contains(std::string_view text, std::string_view lower_case) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; };
  return std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(), same) != text.end();
}

template <typename View>
Json array_of(const std::vector<View>& views) {
  Json array = Json::array();
  for (const View& view : views) array.push_back(to_json(view));
  return array;
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

Api::Api(const Served& served, Gate& gate, const Clock& clock, FiguresNow figures, Log log)
    : room_{served.room},
      identities_{served.identities},
      configurations_{served.configurations},
      outputs_{served.outputs},
      gate_{gate},
      users_{served.users},
      audit_{served.audit},
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
  if (route.bounds == Bounds::undeclared) {
    log_.error("{} {} does not say how it keeps to domains", route.method, route.pattern);
    return refuse(Refusal::failed, "The log says more.", "详见服务器日志。");
  }
  if (!is_free) {
    Gate::Need need{.action = route.action, .whole_house = route.bounds == Bounds::whole};
    need.is_own_session = route.entry == Entry::any_role;
    if (auto refusal = gate_.refusal(request, visitor, need)) return *std::move(refusal);
    if (is_outside(route, places, *visitor)) return outside(request, *visitor);
  }
  if (auto refusal = check_query(route, request)) return *std::move(refusal);
  if (route.body_example && !is_json(request.content_type))
    return refuse(Refusal::not_json, "Send Content-Type: application/json.",
                  "请求须带 Content-Type: application/json。");
  return (this->*route.handler)(Call{request, visitor, places});
}

/// Answered as what is not there at all.
Answer Api::outside(const Request& request, const Visitor& visitor) {
  gate_.record_outside(request, visitor);
  return no_such_place();
}

bool Api::is_outside(const Route& route, const std::vector<std::string>& places,
                     const Visitor& visitor) const {
  const auto site = place_named(route, places, "{site}"), agent = place_named(route, places, "{agent}");
  return site && !visitor.person.reach.covers(*site, agent.value_or(""));
}

/// What was asked and what became of it; `error` null: done.
void Api::record(const Call& call, std::string_view action, std::string object, const Error* error,
                 std::string detail) {
  if (error) detail += (detail.empty() ? "" : ": ") + error->text;
  audit_.record({.who = call.visitor->person.audit_name(),
                 .from = call.request.address,
                 .action = std::string{action},
                 .object = std::move(object),
                 .outcome = error ? Outcome::failed : Outcome::done,
                 .detail = std::move(detail)});
}

Answer Api::log_in(const Call& call) { return gate_.log_in(call.request); }

Answer Api::who_am_i(const Call& call) {
  Answer answer;
  answer.body = session_text(call.visitor->person, call.visitor->expires_at);
  return answer;
}

Answer Api::log_out(const Call& call) { return gate_.log_out(*call.visitor, call.request); }

Answer Api::change_password(const Call& call) { return gate_.change_password(*call.visitor, call.request); }

Answer Api::begin_own_totp(const Call& call) { return gate_.begin_totp(*call.visitor, call.request); }

Answer Api::confirm_own_totp(const Call& call) { return gate_.confirm_totp(*call.visitor, call.request); }

Answer Api::stop_own_totp(const Call& call) { return gate_.stop_totp(*call.visitor, call.request); }

Answer Api::status(const Call& call) {
  return json(to_json(status_of(room_, call.visitor->person.reach), clock_));
}

Answer Api::points(const Call& call) {
  std::string text{call.query("q")};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c); });
  const Reach& reach = call.visitor->person.reach;
  const auto is = [](std::string_view wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  const auto site = call.query("site"), agent = call.query("agent"), device = call.query("device"),
             name = call.query("name");
  const auto wanted = [&](const PointView& point) {
    return covers(reach, point) && is(site, point.site) && is(agent, point.agent) &&
           is(device, point.device) && is(name, point.name) &&
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
  if (!covers_point(call.visitor->person.reach, id)) return outside(call.request, *call.visitor);
  const auto samples = room_.samples(id, since, *limit);
  if (!samples) return refuse(samples.error());
  return json({{"samples", array_of(*samples)}});
}

Answer Api::alarms(const Call& call) {
  const auto limit = limit_of(call, 200, 1'000);
  if (!limit) return malformed_query("limit", "1…1000");
  const std::string_view state = call.query("state");
  const Reach& reach = call.visitor->person.reach;
  if (state == "all") {
    const auto alarms =
        room_.alarm_history(*limit, [&](const AlarmView& alarm) { return covers(reach, alarm); });
    if (!alarms) return refuse(alarms.error());
    return json({{"alarms", array_of(*alarms)}});
  }
  if (!state.empty() && state != "open") return malformed_query("state", "open, all");
  auto open = alarms_of(room_, reach, 0);
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
  if (!is_in_reach(*id, call.visitor->person.reach)) return outside(call.request, *call.visitor);
  const auto alarm = room_.acknowledge(*id, by, comment);
  record(call, "alarm.acknowledge", fmt::format("alarm {}", *id), alarm ? nullptr : &alarm.error(), comment);
  if (!alarm) return refuse(alarm.error());
  log_.info("acknowledged: alarm {} by {} from {}, comment {}", *id, for_log(by), call.request.address,
            for_log(comment));
  return json(to_json(*alarm));
}

/// The centre's own alarms are seen by everybody, but only who is responsible for the whole house answers
/// them.
bool Api::is_in_reach(std::int64_t alarm, const Reach& reach) const {
  if (reach.is_everything()) return true;
  const auto open = room_.alarms(0);
  return std::any_of(open.begin(), open.end(), [&](const AlarmView& view) {
    return view.id == alarm && reach.covers(view.site, view.agent);
  });
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
  record(call, "device.set_class", fmt::format("{}/{}/{}", place.site, place.agent, place.device),
         device ? nullptr : &device.error(), "to " + wanted);
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

Answer Api::agents(const Call& call) {
  return json({{"agents", array_of(agents_of(room_, call.visitor->person.reach, 0))}});
}

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
  answer.body = to_prometheus(room_.status(), clock_.steady(), figures_(), audit_.figures());
  return answer;
}

}  // namespace watchroom::aggregator
