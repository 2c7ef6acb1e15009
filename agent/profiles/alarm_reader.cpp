// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Reads `alarms` of a [[point]]: what is worth being told of on every device of this model.
#include <algorithm>
#include <cmath>

#include "agent/profiles/source_readers.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

bool has_order(Unit unit) { return unit != Unit::state && unit != Unit::text; }

/// Where a profile does not say how far back a value must be: 2 % of the limit, and never within what is not
/// worth a report. Counts have no such noise.
double hysteresis(double limit, const PointTraits& traits) {
  if (traits.unit == Unit::count) return 0.0;
  return std::max(traits.deadband, 0.02 * std::abs(limit));
}

void read_limit(const SettingsTable& table, const PointTraits& traits, PointAlarm& alarm) {
  const bool is_high = alarm.raised == PointAlarm::Raised::above;
  const char* key = is_high ? "above" : "below";
  const char* clear_key = is_high ? "clear_below" : "clear_above";
  if (!has_order(traits.unit)) table.reject(key, "states = [codes] for a point whose values have no order");
  alarm.limit = table.number(key, {.help = "raised beyond this value, in the point's unit"});
  const double back = hysteresis(alarm.limit, traits);
  alarm.clear_limit = table.number(
      clear_key,
      {.help = "cleared behind this value", .fallback = is_high ? alarm.limit - back : alarm.limit + back});
  if (is_high && alarm.clear_limit > alarm.limit) table.reject(clear_key, "a value not above `above`");
  if (!is_high && alarm.clear_limit < alarm.limit) table.reject(clear_key, "a value not below `below`");
}

void read_states(const SettingsTable& table, const PointTraits& traits, PointAlarm& alarm) {
  if (traits.unit != Unit::state) table.reject("states", "above or below for a point that is no state");
  const auto texts = table.scalars("states", "codes that raise it");
  if (texts.empty() || texts.size() > most_alarm_states)
    table.reject("states", fmt::format("1 to {} codes", most_alarm_states));
  for (const std::string& text : texts) {
    const auto code = integer_of(text);
    if (code && traits.states.contains(*code))
      alarm.states.push_back(*code);
    else
      table.complain("states", fmt::format("{} is none of the point's states", text));
  }
}

void read_condition(const SettingsTable& table, const PointTraits& traits, PointAlarm& alarm) {
  const bool is_high = table.has("above"), is_low = table.has("below"), is_state = table.has("states");
  if (is_high + is_low + is_state != 1) {
    table.reject_table("needs one of above, below and states");
    return;
  }
  if (is_state) {
    alarm.raised = PointAlarm::Raised::in_states;
    read_states(table, traits, alarm);
    return;
  }
  alarm.raised = is_high ? PointAlarm::Raised::above : PointAlarm::Raised::below;
  read_limit(table, traits, alarm);
}

PointAlarm read_alarm(const SettingsTable& table, const PointTraits& traits) {
  PointAlarm alarm;
  alarm.severity = table.choice<Severity>("severity",
                                          {{"critical", Severity::critical},
                                           {"major", Severity::major},
                                           {"minor", Severity::minor},
                                           {"warning", Severity::warning}},
                                          std::nullopt, "X.733 severity");
  read_condition(table, traits, alarm);
  alarm.on_delay = table.duration(
      "on_delay_s",
      {.help = "how long it must hold before it is raised", .fallback = 0s, .most = longest_alarm_delay});
  alarm.off_delay = table.duration(
      "off_delay_s",
      {.help = "how long it must be gone before it clears", .fallback = 0s, .most = longest_alarm_delay});
  alarm.is_instead =
      table.flag("instead", false, "the built-in rules of its direction do not watch this point besides");
  StateText title = read_texts(table.table("title"));
  if (title.zh.size() > longest_alarm_title || title.en.size() > longest_alarm_title)
    table.reject("title", fmt::format("texts of at most {} bytes", longest_alarm_title));
  alarm.title_zh = std::move(title.zh);
  alarm.title_en = std::move(title.en);
  table.finish();
  return alarm;
}

}  // namespace

std::vector<PointAlarm> read_alarms(const SettingsTable& point, const PointTraits& traits) {
  std::vector<PointAlarm> alarms;
  for (const SettingsTable& table : point.tables("alarms")) alarms.push_back(read_alarm(table, traits));
  if (alarms.size() > most_point_alarms)
    point.reject("alarms", fmt::format("at most {} alarms", most_point_alarms));
  return alarms;
}

}  // namespace watchroom::agent
