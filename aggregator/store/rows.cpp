// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/store/rows.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::string_view clock_unsure_text = "clock_unsure";

std::optional<Timestamp> time_at(const Statement& statement, int column) {
  if (statement.is_null(column)) return std::nullopt;
  return from_ms(statement.integer(column));
}

void bind_time(Statement& statement, int at, const std::optional<Timestamp>& time) {
  if (time)
    statement.bind(at, to_ms(*time));
  else
    statement.bind_null(at);
}

AlarmView read_alarm(const Statement& s) {
  AlarmView alarm;
  alarm.id = s.integer(0);
  alarm.rule = s.text(1);
  alarm.kind = s.text(2);
  alarm.severity = severity_named(s.text(3)).value_or(Severity::critical);
  alarm.state = life_cycle_named(s.text(4)).value_or(AlarmLifeCycle::unacknowledged);
  alarm.is_active = s.integer(5) != 0;
  alarm.occurrence = static_cast<int>(s.integer(6));
  alarm.title_zh = s.text(7);
  alarm.title_en = s.text(8);
  alarm.text_zh = s.text(9);
  alarm.text_en = s.text(10);
  alarm.site = s.text(11);
  alarm.agent = s.text(12);
  alarm.device = s.text(13);
  alarm.device_name = s.text(14);
  alarm.point = s.text(15);
  alarm.point_label_zh = s.text(16);
  alarm.point_label_en = s.text(17);
  if (!s.is_null(18)) alarm.value = s.number(18);
  alarm.unit = unit_named(s.text(19)).value_or(Unit::none);
  if (!s.is_null(20)) alarm.limit = s.number(20);
  alarm.raised_at = from_ms(s.integer(21));
  alarm.cleared_at = time_at(s, 22);
  alarm.acknowledged_at = time_at(s, 23);
  alarm.acknowledged_by = s.text(24);
  alarm.comment = s.text(25);
  alarm.mail = s.text(26);
  return alarm;
}

}  // namespace

void bind_alarm(Statement& s, const AlarmView& alarm) {
  s.bind(1, alarm.id).bind(2, alarm.rule).bind(3, alarm.kind).bind(4, name_of(alarm.severity));
  s.bind(5, name_of(alarm.state))
      .bind(6, std::int64_t{alarm.is_active})
      .bind(7, std::int64_t{alarm.occurrence});
  s.bind(8, alarm.title_zh).bind(9, alarm.title_en).bind(10, alarm.text_zh).bind(11, alarm.text_en);
  s.bind(12, alarm.site).bind(13, alarm.agent).bind(14, alarm.device).bind(15, alarm.device_name);
  s.bind(16, alarm.point).bind(17, alarm.point_label_zh).bind(18, alarm.point_label_en).bind(19, alarm.value);
  s.bind(20, name_of(alarm.unit)).bind(21, alarm.limit).bind(22, to_ms(alarm.raised_at));
  bind_time(s, 23, alarm.cleared_at);
  bind_time(s, 24, alarm.acknowledged_at);
  s.bind(25, alarm.acknowledged_by).bind(26, alarm.comment);
}

Result<std::vector<AlarmView>> read_alarms(Statement& statement,
                                           const std::function<bool(const AlarmView&)>& wanted,
                                           std::size_t most) {
  std::vector<AlarmView> alarms;
  auto row = statement.step();
  for (; row && *row && alarms.size() < most; row = statement.step())
    if (AlarmView alarm = read_alarm(statement); !wanted || wanted(alarm)) alarms.push_back(std::move(alarm));
  if (!row) return row.error();
  statement.reset();
  return alarms;
}

void bind_value(Statement& statement, int at, const std::optional<Value>& value) {
  if (!value) {
    statement.bind_null(at);
  } else if (const auto* number = std::get_if<double>(&*value)) {
    statement.bind(at, *number);
  } else if (const auto* integer = std::get_if<std::int64_t>(&*value)) {
    statement.bind(at, *integer);
  } else if (const auto* flag = std::get_if<bool>(&*value)) {
    statement.bind(at, std::int64_t{*flag});
  } else {
    statement.bind(at, std::string_view{std::get<std::string>(*value)});
  }
}

std::optional<Value> read_value(const Statement& statement, int column) {
  switch (statement.type(column)) {
    case Statement::Type::integer: return Value{statement.integer(column)};
    case Statement::Type::number: return Value{statement.number(column)};
    case Statement::Type::text: return Value{statement.text(column)};
    default: return std::nullopt;
  }
}

std::string_view quality_text(const Reading& reading) {
  return reading.quality == Quality::good && reading.is_clock_unsure ? clock_unsure_text
                                                                     : name_of(reading.quality);
}

Reading reading_from(std::optional<Value> value, std::string_view quality, Timestamp taken_at) {
  const bool is_clock_unsure = quality == clock_unsure_text;
  const auto named = is_clock_unsure ? Quality::good : quality_named(quality).value_or(Quality::bad);
  return {std::move(value), named, taken_at, is_clock_unsure};
}

Result<std::int64_t> returned_id(Statement& statement) {
  auto row = statement.step();
  if (!row) return row.error();
  if (!*row) return fail(Errc::io, Retry::never, "a statement with RETURNING gave no row");
  const std::int64_t id = statement.integer(0);
  statement.reset();
  return id;
}

std::string_view bytes_of(const JournalId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

}  // namespace watchroom::aggregator
