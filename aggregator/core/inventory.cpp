// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/inventory.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

#include "proto/model/point_name.hpp"

namespace watchroom::aggregator {
const Bilingual no_longer_reported{"采集代理不再上报此测点", "its agent reports it no longer"};

namespace {

Bilingual communication_reason(const KnownDevice& device) {
  const std::string detail = device.communication_text;
  std::string_view zh = "设备通信中断";
  switch (device.communication) {
    case Communication::no_answer: zh = "设备无应答"; break;
    case Communication::refused: zh = "设备拒绝了请求"; break;
    case Communication::not_authorized: zh = "设备认证失败"; break;
    case Communication::corrupt: zh = "设备应答无法识别"; break;
    case Communication::not_connected: zh = "无法连接设备"; break;
    default: break;
  }
  if (detail.empty()) return {std::string{zh}, "the device does not communicate"};
  return {fmt::format("{}（{}）", zh, detail), detail};
}

void take_value(Situation& situation, const KnownPoint& point, const Value& value) {
  situation.value = number_of(value);
  const StateText state = point.state_of(value);
  situation.state_zh = state.zh;
  situation.state_en = state.en;
}

/// Untrusted: what is not {"zh":"…","en":"…"} is passed over.
void take_label(KnownPoint& point, const std::string& label_json) {
  constexpr std::size_t longest = 200;
  if (label_json.empty()) return;
  const auto json = nlohmann::json::parse(label_json, nullptr, false);
  if (!json.is_object()) return;
  const auto take = [&](const char* language, std::string& label) {
    const auto found = json.find(language);
    if (found == json.end() || !found->is_string()) return;
    const auto& text = found->get_ref<const std::string&>();
    if (!text.empty() && text.size() <= longest) label = text;
  };
  take("zh", point.label_zh);
  take("en", point.label_en);
}

}  // namespace

void KnownPoint::describe(const std::string& unit_name, const std::string& states_json,
                          const std::string& label_json) {
  if (!unit_name.empty()) unit_text = unit_name;
  unit = unit_named(unit_text).value_or(Unit::none);
  if (const auto parsed = PointName::parse(name)) {
    label_zh = parsed->label_zh();
    label_en = parsed->label_en();
  } else {
    label_zh = label_en = name;
  }
  take_label(*this, label_json);
  if (states_json.empty()) return;
  states_text = states_json;
  states.clear();
  // Untrusted: anything that is not {"1":{"zh":"…","en":"…"}} is passed over.
  const auto json = nlohmann::json::parse(states_json, nullptr, false);
  if (!json.is_object()) return;
  for (const auto& entry : json.items()) {
    const std::string& code = entry.key();
    const auto& texts = entry.value();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), number);
    if (error != std::errc{} || end != code.data() + code.size() || !texts.is_object()) continue;
    const auto text = [&](const char* language) {
      const auto found = texts.find(language);
      return found != texts.end() && found->is_string() ? found->get<std::string>() : std::string{};
    };
    states[number] = {text("zh"), text("en")};
  }
}

StateText KnownPoint::state_of(const Value& value) const {
  const auto number = number_of(value);
  if (!number || states.empty()) return {};
  const auto found = states.find(static_cast<std::int64_t>(*number));
  return found == states.end() ? StateText{} : found->second;
}

Standing standing_of(const KnownNode& node, const KnownDevice& device, const KnownPoint& point,
                     bool broker_connected) {
  if (device.presence == Presence::gone || !point.is_announced)
    return {"stale", no_longer_reported.zh, no_longer_reported.en};
  if (!broker_connected)
    return {"unknown", "监控中心与消息服务器的连接中断", "the centre has lost the broker"};
  if (node.contact == Contact::unknown)
    return {"unknown", "等待采集代理上线", "waiting for the agent to announce itself"};
  if (node.contact == Contact::offline) return {"stale", "采集代理离线", "the agent is offline"};
  if (device.presence == Presence::awaited)
    return {"unknown", "等待设备上线", "waiting for the device to be announced"};
  if (device.is_overdue)
    return {"stale", "超过最长静默时间没有收到数据", "nothing was reported for longer than allowed"};
  // That a device is silent is itself a fact, and a fresh one.
  if (!point.name.starts_with("communication.")) {
    if (device.communication == Communication::unknown)
      return {"unknown", "设备尚未应答过", "the device has not been asked yet"};
    if (!device.answers()) {
      const Bilingual reason = communication_reason(device);
      return {"stale", reason.zh, reason.en};
    }
  }
  if (!point.latest) return {"unknown", "尚未收到数据", "nothing received yet"};
  switch (point.latest->quality) {
    case Quality::good:
      if (point.latest->is_clock_unsure)
        return {"clock_unsure", "采集代理的时钟不可信，时间以监控中心收到为准",
                "the agent does not trust its clock: the time is when the centre received it"};
      return {"good", "", ""};
    case Quality::stale: return {"stale", "没有新数据", "no fresh value"};
    case Quality::bad: return {"bad", "数值无效", "the value is not valid"};
  }
  return {"bad", "", ""};
}

Situation situation_of(const KnownNode& node, const KnownDevice& device, const KnownPoint& point,
                       bool broker_connected) {
  Situation now;
  now.contact = broker_connected ? node.contact : Contact::unknown;
  now.device_answers = device.answers();
  now.unit = point.unit;
  const Standing standing = standing_of(node, device, point, broker_connected);
  now.reason_zh = standing.reason_zh;
  now.reason_en = standing.reason_en;
  // When it was read is doubtful, not what was read: a clock that was never set must not silence a room.
  const bool is_good = standing.quality == "good" || standing.quality == "clock_unsure";
  now.quality = is_good ? Quality::good : standing.quality == "bad" ? Quality::bad : Quality::stale;
  if (point.latest) now.taken_at = point.latest->taken_at;
  if (now.quality == Quality::good && point.latest && point.latest->value)
    take_value(now, point, *point.latest->value);
  return now;
}

Situation past_situation_of(const KnownPoint& point, const Reading& reading) {
  Situation then;
  then.unit = point.unit;
  then.quality = reading.quality;
  then.taken_at = reading.taken_at;
  if (reading.value) take_value(then, point, *reading.value);
  return then;
}

Situation communication_of(const KnownNode& node, const KnownDevice& device, bool broker_connected) {
  Situation now;
  now.is_communication_point = true;
  // Not asked yet is neither good nor bad news.
  const bool is_silent = device.is_overdue || !device.is_alive;
  const bool is_known = broker_connected && (is_silent || device.communication != Communication::unknown);
  now.contact = is_known ? node.contact : Contact::unknown;
  now.device_answers = device.answers();
  const Bilingual reason = device.is_overdue ? Bilingual{"超过最长静默时间没有收到数据",
                                                         "nothing was reported for longer than allowed"}
                                             : communication_reason(device);
  now.reason_zh = reason.zh;
  now.reason_en = reason.en;
  now.value = static_cast<double>(device.communication);
  return now;
}

PointView view_of(const KnownNode& node, const KnownDevice& device, const KnownPoint& point,
                  bool broker_connected) {
  PointView view;
  view.site = node.key.site;
  view.agent = node.key.agent;
  view.device = device.about.device;
  view.name = point.name;
  view.device_name = device.about.name;
  view.maker = device.about.maker;
  view.model = device.about.model;
  view.resource_class = device.about.resource_class;
  view.label_zh = point.label_zh;
  view.label_en = point.label_en;
  view.unit = point.unit;
  if (!unit_named(point.unit_text)) view.foreign_unit = point.unit_text;
  const Standing standing = standing_of(node, device, point, broker_connected);
  view.quality = standing.quality;
  view.is_reported = device.presence != Presence::gone && point.is_announced;
  view.quality_reason_zh = standing.reason_zh;
  view.quality_reason_en = standing.reason_en;
  if (point.latest) view.taken_at = point.latest->taken_at;
  if (view.has_good_value() && point.latest) view.value = point.latest->value;
  if (point.latest_good) {
    view.last_value = point.latest_good->value;
    view.last_value_at = point.latest_good->taken_at;
  }
  if (const auto& shown = view.value ? view.value : view.last_value) {
    const StateText state = point.state_of(*shown);
    view.state_zh = state.zh;
    view.state_en = state.en;
  }
  return view;
}

DeviceView view_of(const KnownDevice& device) {
  DeviceView view;
  const StoredDevice& about = device.about;
  view.id = about.device;
  view.name = about.name;
  view.maker = about.maker;
  view.model = about.model;
  view.resource_class = about.resource_class;
  view.class_configured = about.class_configured;
  view.poll_interval = about.poll_interval;
  if (const auto& wanted = device.wanted_class) {
    view.class_wanted = wanted->name;
    view.class_request = wanted->is_given_up ? ClassRequest::not_carried_out : ClassRequest::pending;
  }
  view.is_self = about.device == "self" && about.maker == "Watchroom" && about.model == "agent";
  view.communication = name_of(device.communication);
  const bool is_silent = !device.is_alive || device.is_overdue;
  if (is_silent &&
      (device.communication == Communication::ok || device.communication == Communication::unknown))
    view.communication = name_of(Communication::no_answer);
  if (device.presence == Presence::gone) view.communication = "removed";
  view.communication_text = device.communication_text;
  view.since = device.since;
  return view;
}

AgentView view_of(const KnownNode& node, const IntakeCounters& counters, const JournalLedger* ledger) {
  AgentView view;
  view.site = node.key.site;
  view.agent = node.key.agent;
  view.name = node.name.empty() ? node.key.agent : node.name;
  view.software_version = node.software_version;
  view.state = node.contact == Contact::online    ? "online"
               : node.contact == Contact::offline ? "offline"
                                                  : "unknown";
  view.since = node.since;
  if (ledger) {
    view.journal_id = to_hex(ledger->journal());
    view.journal_acknowledged = ledger->cumulative();
    view.journal_missing = ledger->missing();
    view.journal_head = std::max(node.journal_head, ledger->highest());
  }
  view.journal_lost = node.journal_lost.value_or(0);
  view.challenge = node.challenge;
  view.challenge_at = node.challenge_at;
  view.records = counters.records;
  view.duplicates = counters.duplicates;
  view.gaps = counters.gaps;
  view.rebirths_requested = counters.rebirths_requested;
  view.decode_errors = counters.decode_errors;
  for (const auto& [id, device] : node.devices) {
    if (!id.empty()) view.devices.push_back(view_of(device));
  }
  return view;
}

}  // namespace watchroom::aggregator
