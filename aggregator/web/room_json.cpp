// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/room_json.hpp"

#include <algorithm>

#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

Json of(const std::optional<Value>& value) {
  if (!value) return nullptr;
  return std::visit([](const auto& held) { return Json(held); }, *value);
}

Json of(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json of(Timestamp at) { return at == Timestamp{} ? Json(nullptr) : Json(to_rfc3339(at)); }
Json of(const std::optional<Timestamp>& at) { return at ? of(*at) : Json(nullptr); }

Json age_of(Timestamp taken_at, Timestamp now) {
  if (taken_at == Timestamp{}) return nullptr;
  // A device clock ahead of ours would give a negative age.
  return static_cast<double>(std::max<std::int64_t>(0, to_ms(now) - to_ms(taken_at))) / 1000.0;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

double core_age_s(const StatusView& status, Steady now) {
  return std::chrono::duration<double>(now - status.published_at).count();
}

std::string to_text(const Json& json) {
  const std::string plain =
      without_controls_in_json(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::string text;
  text.reserve(plain.size() + 16);
  for (const char c : plain) {
    switch (c) {  // these three occur in JSON inside strings only
      case '<': text += "\\u003c"; break;
      case '>': text += "\\u003e"; break;
      case '&': text += "\\u0026"; break;
      default: text += c;
    }
  }
  return text;
}

Json to_json(const PointView& point, Timestamp now) {
  const bool has_own_unit = point.unit == Unit::none && !point.foreign_unit.empty();
  return {{"id", point.id()},
          {"site", point.site},
          {"agent", point.agent},
          {"device", point.device},
          {"device_name", point.device_name},
          {"maker", point.maker},
          {"model", point.model},
          {"class", point.resource_class},
          {"name", point.name},
          {"label_zh", point.label_zh},
          {"label_en", point.label_en},
          {"value",
           point.has_good_value() ? of(point.value) : Json(nullptr)},  // never an old value as a live one
          {"last_value", of(point.last_value)},
          {"last_value_at", of(point.last_value_at)},
          {"unit", has_own_unit ? point.foreign_unit : std::string{name_of(point.unit)}},
          {"unit_symbol", has_own_unit ? point.foreign_unit : std::string{symbol_of(point.unit)}},
          {"state", point.state_en},
          {"state_zh", point.state_zh},
          {"quality", point.quality},
          {"quality_reason", point.quality_reason_en},
          {"quality_reason_zh", point.quality_reason_zh},
          {"taken_at", of(point.taken_at)},
          {"age_s", age_of(point.taken_at, now)}};
}

Json to_json(const AlarmView& alarm) {
  return {{"id", alarm.id},
          {"rule", alarm.rule},
          {"origin", alarm.rule.starts_with("profile:") ? "profile" : "rules"},
          {"kind", alarm.kind},
          {"severity", name_of(alarm.severity)},
          {"state", name_of(alarm.state)},
          {"title_zh", alarm.title_zh},
          {"title_en", alarm.title_en},
          {"text_zh", alarm.text_zh},
          {"text_en", alarm.text_en},
          {"site", alarm.site},
          {"agent", alarm.agent},
          {"device", alarm.device},
          {"device_name", alarm.device_name},
          {"point", alarm.point},
          {"point_label_zh", alarm.point_label_zh},
          {"point_label_en", alarm.point_label_en},
          {"value", of(alarm.value)},
          {"unit", name_of(alarm.unit)},
          {"unit_symbol", symbol_of(alarm.unit)},
          {"limit", of(alarm.limit)},
          {"raised_at", of(alarm.raised_at)},
          {"cleared_at", of(alarm.cleared_at)},
          {"acknowledged_at", of(alarm.acknowledged_at)},
          {"acknowledged_by", alarm.acknowledged_by},
          {"comment", alarm.comment},
          {"is_active", alarm.is_active},
          {"mail", alarm.mail}};
}

Json to_json(const DeviceView& device) {
  return {{"id", device.id},
          {"name", device.name},
          {"maker", device.maker},
          {"model", device.model},
          {"class", device.resource_class},
          {"class_configured", text_or_null(device.class_configured)},
          {"class_wanted", text_or_null(device.class_wanted)},
          {"class_request", name_of(device.class_request)},
          {"poll_interval_ms", device.poll_interval ? Json(device.poll_interval->count()) : Json(nullptr)},
          {"is_self", device.is_self},
          {"communication", device.communication},
          {"communication_text", device.communication_text},
          {"since", of(device.since)}};
}

Json to_json(const AgentView& agent) {
  Json devices = Json::array();
  for (const DeviceView& device : agent.devices) devices.push_back(to_json(device));
  return {{"site", agent.site},
          {"agent", agent.agent},
          {"name", agent.name},
          {"state", agent.state},
          {"since", of(agent.since)},
          {"version", agent.software_version},
          {"journal",
           {{"id", agent.journal_id},
            {"head", agent.journal_head},
            {"acknowledged", agent.journal_acknowledged},
            {"lost", agent.journal_lost},
            {"missing", agent.journal_missing}}},
          {"counters",
           {{"records", agent.records},
            {"duplicates", agent.duplicates},
            {"gaps", agent.gaps},
            {"rebirths_requested", agent.rebirths_requested},
            {"decode_errors", agent.decode_errors}}},
          {"devices", std::move(devices)}};
}

Json to_json(const StatusView& status, const Clock& clock) {
  return {{"version", WATCHROOM_VERSION},
          {"time", of(clock.now())},
          {"core_age_s", core_age_s(status, clock.steady())},
          {"host_id", status.host_id},
          {"broker",
           {{"state", status.broker_connected ? "connected" : "unreachable"},
            {"since", of(status.broker_since)}}},
          {"counts",
           {{"agents", status.agents},
            {"agents_online", status.agents_online},
            {"devices", status.devices},
            {"points", status.points},
            {"points_good", status.points_good},
            {"alarms_open", status.alarms_open},
            {"alarms_unacknowledged", status.alarms_unacknowledged},
            {"mails_waiting", status.mails_waiting},
            {"mails_failed", status.mails_failed}}},
          {"rates", {{"readings_per_s", status.readings_per_s}}},
          {"store",
           {{"records", status.records},
            {"readings", status.readings},
            {"state", status.store_is_failing ? "failing" : "working"}}},
          {"intake",
           {{"queue", status.intake_queue},
            {"capacity", status.intake_capacity},
            {"refused", status.intake_refused}}}};
}

Json to_json(const SampleView& sample) {
  const bool is_clock_unsure = sample.quality == Quality::good && sample.is_clock_unsure;
  return {{"taken_at", of(sample.taken_at)},
          {"value", of(sample.value)},
          {"quality", is_clock_unsure ? "clock_unsure" : name_of(sample.quality)},
          {"record", sample.record}};
}

Json to_json(const AgentIdentity& identity) {
  return {{"site", identity.site},
          {"agent", identity.agent},
          {"common_name", identity.common_name},
          {"state", identity.state},
          {"serial", text_or_null(identity.serial)},
          {"valid_until", of(identity.valid_until)},
          {"revoked_at", of(identity.revoked_at)},
          {"reason", identity.reason},
          {"invited_until", of(identity.invited_until)}};
}

Json to_json(const Invitation& invitation) {
  return {{"site", invitation.site},
          {"agent", invitation.agent},
          {"token", invitation.token},
          {"url", invitation.url},
          {"expires_at", of(invitation.expires_at)}};
}

}  // namespace watchroom::aggregator
