// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/births.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace watchroom::agent {
namespace {

namespace names = metric_names;

const std::map<std::int64_t, StateText>& communication_states() {
  static const std::map<std::int64_t, StateText> states{{0, {"正常", "ok"}},
                                                        {1, {"无应答", "no answer"}},
                                                        {2, {"被拒绝", "refused"}},
                                                        {3, {"未授权", "not authorized"}},
                                                        {4, {"应答损坏", "corrupt answer"}},
                                                        {5, {"未连接", "not connected"}},
                                                        {6, {"未知", "not asked yet"}}};
  return states;
}

Metric metric(std::string_view name, Timestamp at, Value value) {
  return {.name = std::string{name}, .at = at, .value = std::move(value)};
}

std::int64_t integer(std::uint64_t number) { return static_cast<std::int64_t>(number); }

/// operational-behavior-data-publish-dbirth-order: values inside one payload are in time order.
void put_in_time_order(std::vector<Metric>& metrics) {
  std::stable_sort(metrics.begin(), metrics.end(),
                   [](const Metric& a, const Metric& b) { return a.at < b.at; });
}

void add_journal(std::vector<Metric>& metrics, const JournalFacts& journal, Timestamp now) {
  metrics.push_back(metric(names::journal_head, now, integer(journal.head)));
  metrics.push_back(metric(names::journal_oldest, now, integer(journal.oldest)));
  metrics.push_back(metric(names::journal_lost, now, integer(journal.lost)));
  metrics.push_back(metric(names::journal_state, now, static_cast<std::int64_t>(journal.health)));
  metrics.push_back(metric(names::journal_moved_aside, now, journal.moved_aside));
  metrics.push_back(metric(names::journal_dropped_polls, now, integer(journal.dropped_polls)));
}

}  // namespace

std::string to_json(const std::map<std::int64_t, StateText>& states) {
  if (states.empty()) return {};
  nlohmann::ordered_json json;
  for (const auto& [code, text] : states) json[std::to_string(code)] = {{"zh", text.zh}, {"en", text.en}};
  return json.dump();
}

std::string label_json(const PointDescription& point) {
  if (!point.label) return {};
  return nlohmann::ordered_json{{"zh", point.label->zh}, {"en", point.label->en}}.dump();
}

std::vector<Metric> points_of(const DeviceDescription& device) {
  std::vector<Metric> points;
  for (const PointDescription& point : device.points)
    points.push_back({.name = point.name.str(),
                      .quality = Quality::stale,
                      .unit = std::string{name_of(point.unit)},
                      .states = to_json(point.states),
                      .label = label_json(point)});
  points.push_back({.name = std::string{names::communication_state},
                    .value = static_cast<std::int64_t>(Communication::unknown),
                    .unit = std::string{name_of(Unit::state)},
                    .states = to_json(communication_states())});
  points.push_back({.name = std::string{names::communication_text},
                    .value = std::string{},
                    .unit = std::string{name_of(Unit::text)}});
  return points;
}

void update(std::vector<Metric>& points, const DeviceDescription& device, const PollResult& polled) {
  // Most stand where points_of put them.
  const auto find = [&](std::string_view name, std::size_t likely) {
    const auto has_name = [&](const Metric& point) { return point.name == name; };
    return likely < points.size() && has_name(points[likely])
               ? points.begin() + static_cast<std::ptrdiff_t>(likely)
               : std::find_if(points.begin(), points.end(), has_name);
  };
  const auto set = [&](std::string_view name, const Reading& reading, std::size_t likely) {
    const auto found = find(name, likely);
    if (found == points.end()) return;
    found->value = reading.value;
    found->quality = reading.quality;
    found->at = reading.taken_at;
  };
  const std::size_t count = device.points.size();
  for (std::size_t i = 0; i < count && i < polled.readings.size(); ++i)
    set(device.points[i].name.str(), polled.readings[i], i);
  set(names::communication_state,
      {static_cast<std::int64_t>(polled.communication), Quality::good, polled.polled_at}, count);
  set(names::communication_text, {polled.communication_text, Quality::good, polled.polled_at}, count + 1);
}

Payload device_birth(const std::vector<Metric>& points, const DeviceDescription* device, Timestamp now) {
  Payload birth;
  birth.at = now;
  birth.metrics = points;
  for (Metric& point : birth.metrics)
    if (!point.at) point.at = now;
  if (device) {
    const auto max_silence = std::chrono::duration_cast<std::chrono::seconds>(device->max_silence);
    birth.metrics.push_back(metric(names::name, now, device->name));
    birth.metrics.push_back(metric(names::maker, now, device->maker));
    birth.metrics.push_back(metric(names::model, now, device->model));
    birth.metrics.push_back(metric(names::profile, now, device->profile));
    birth.metrics.push_back(metric(names::resource_class, now, std::string{name_of(device->resource_class)}));
    birth.metrics.push_back(metric(names::max_silence, now, std::int64_t{max_silence.count()}));
  }
  put_in_time_order(birth.metrics);
  return birth;
}

Payload node_birth(std::uint8_t bd_seq, const std::string& name, std::chrono::seconds heartbeat,
                   const JournalFacts& journal, Timestamp now) {
  Payload birth;
  birth.at = now;
  birth.metrics.push_back(metric(names::bd_seq, now, std::int64_t{bd_seq}));
  birth.metrics.push_back(metric(names::rebirth, now, false));
  birth.metrics.push_back(metric(names::journal_ack, now, std::string{}));
  birth.metrics.push_back(metric(names::journal_id, now, journal.id));
  add_journal(birth.metrics, journal, now);
  birth.metrics.push_back(metric(names::name, now, name));
  birth.metrics.push_back(metric(names::version, now, std::string{WATCHROOM_VERSION}));
  birth.metrics.push_back(metric(names::heartbeat, now, std::int64_t{heartbeat.count()}));
  return birth;
}

Payload heartbeat(const JournalFacts& journal, Timestamp now) {
  Payload payload;
  payload.at = now;
  add_journal(payload.metrics, journal, now);
  return payload;
}

Payload node_death(std::uint8_t bd_seq, Timestamp now) {
  Payload death;
  death.at = now;
  death.metrics = {metric(names::bd_seq, now, std::int64_t{bd_seq})};
  return death;
}

}  // namespace watchroom::agent
