// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/model/point_alarm.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace watchroom {
namespace {

using Json = nlohmann::ordered_json;

double seconds_of(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

Json json_of(const PointAlarm& alarm) {
  Json json{{"severity", name_of(alarm.severity)}};
  switch (alarm.raised) {
    case PointAlarm::Raised::above:
      json["above"] = alarm.limit;
      json["clear_below"] = alarm.clear_limit;
      break;
    case PointAlarm::Raised::below:
      json["below"] = alarm.limit;
      json["clear_above"] = alarm.clear_limit;
      break;
    case PointAlarm::Raised::in_states: json["states"] = alarm.states; break;
  }
  if (alarm.on_delay.count() > 0) json["on_delay_s"] = seconds_of(alarm.on_delay);
  if (alarm.off_delay.count() > 0) json["off_delay_s"] = seconds_of(alarm.off_delay);
  if (alarm.is_instead) json["instead"] = true;
  json["title"] = {{"zh", alarm.title_zh}, {"en", alarm.title_en}};
  return json;
}

/// One alarm of an announcement while it is read. `trouble` is what was wrong with it.
class AlarmReader {
 public:
  explicit AlarmReader(const Json& json) : json_{json} {}

  std::optional<PointAlarm> read() {
    if (!json_.is_object()) return no("it is no object");
    PointAlarm alarm;
    const auto severity = text("severity");
    const auto named = severity ? severity_named(*severity) : std::nullopt;
    if (!named) return no("no known severity");
    alarm.severity = *named;
    if (!read_condition(alarm)) return no("neither above, below nor states, or limits that contradict");
    if (!read_delay("on_delay_s", alarm.on_delay) || !read_delay("off_delay_s", alarm.off_delay))
      return no("a delay that is no number of seconds from 0 to 86400");
    if (const auto instead = json_.find("instead"); instead != json_.end())
      alarm.is_instead = instead->is_boolean() && instead->get<bool>();
    if (!read_title(alarm)) return no("no title of 1 to 200 bytes");
    return alarm;
  }

  const std::string& trouble() const { return trouble_; }

 private:
  std::nullopt_t no(std::string_view trouble) {
    trouble_ = trouble;
    return std::nullopt;
  }

  std::optional<std::string> text(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
  }

  std::optional<double> number(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || !found->is_number()) return std::nullopt;
    const auto value = found->get<double>();
    return std::isfinite(value) ? std::optional{value} : std::nullopt;
  }

  bool read_condition(PointAlarm& alarm) const {
    const bool has_above = json_.contains("above"), has_below = json_.contains("below"),
               has_states = json_.contains("states");
    if (has_above + has_below + has_states != 1) return false;
    if (has_states) return read_states(alarm);
    alarm.raised = has_above ? PointAlarm::Raised::above : PointAlarm::Raised::below;
    const char* clear_key = has_above ? "clear_below" : "clear_above";
    const auto limit = number(has_above ? "above" : "below");
    const auto clear_limit = json_.contains(clear_key) ? number(clear_key) : limit;
    if (!limit || !clear_limit || (has_above ? *clear_limit > *limit : *clear_limit < *limit)) return false;
    alarm.limit = *limit;
    alarm.clear_limit = *clear_limit;
    return true;
  }

  bool read_states(PointAlarm& alarm) const {
    alarm.raised = PointAlarm::Raised::in_states;
    const Json& states = json_["states"];
    if (!states.is_array() || states.empty() || states.size() > most_alarm_states) return false;
    for (const Json& state : states) {
      if (!state.is_number_integer()) return false;
      alarm.states.push_back(state.get<std::int64_t>());
    }
    return true;
  }

  bool read_delay(const char* key, std::chrono::milliseconds& delay) const {
    if (!json_.contains(key)) return true;
    const auto seconds = number(key);
    if (!seconds || *seconds < 0 || *seconds > std::chrono::duration<double>(longest_alarm_delay).count())
      return false;
    delay = std::chrono::milliseconds{std::llround(*seconds * 1000)};
    return true;
  }

  bool read_title(PointAlarm& alarm) const {
    const auto title = json_.find("title");
    if (title == json_.end() || !title->is_object()) return false;
    const auto in = [&](const char* language) {
      const auto found = title->find(language);
      return found != title->end() && found->is_string() ? found->get<std::string>() : std::string{};
    };
    alarm.title_zh = in("zh");
    alarm.title_en = in("en");
    if (alarm.title_zh.empty()) alarm.title_zh = alarm.title_en;
    if (alarm.title_en.empty()) alarm.title_en = alarm.title_zh;
    return !alarm.title_zh.empty() && alarm.title_zh.size() <= longest_alarm_title &&
           alarm.title_en.size() <= longest_alarm_title;
  }

  const Json& json_;
  std::string trouble_;
};

}  // namespace

std::string to_json(const std::vector<PointAlarm>& alarms) {
  if (alarms.empty()) return {};
  Json json = Json::array();
  for (const PointAlarm& alarm : alarms) json.push_back(json_of(alarm));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

AnnouncedAlarms alarms_from_json(std::string_view text) {
  AnnouncedAlarms announced;
  if (text.empty()) return announced;
  if (text.size() > longest_alarms_text) {
    announced.trouble = fmt::format("{} bytes, at most {} are read", text.size(), longest_alarms_text);
    return announced;
  }
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_array()) {
    announced.trouble = "it is no JSON array";
    return announced;
  }
  for (const Json& each : json) {
    if (announced.alarms.size() == most_point_alarms) {
      announced.trouble = fmt::format("{} alarms, at most {} are read", json.size(), most_point_alarms);
      break;
    }
    AlarmReader reader{each};
    announced.alarms.push_back(reader.read());
    if (announced.trouble.empty() && !announced.alarms.back())
      announced.trouble = fmt::format("alarm {}: {}", announced.alarms.size(), reader.trouble());
  }
  return announced;
}

}  // namespace watchroom
