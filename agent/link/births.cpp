// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/births.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace watchroom::agent {
namespace {

namespace names = metric_names;

Metric metric(std::string_view name, Timestamp at, Value value) {
  return {.name = std::string{name}, .at = at, .value = std::move(value)};
}

std::int64_t integer(std::uint64_t number) { return static_cast<std::int64_t>(number); }

void add_journal(std::vector<Metric>& metrics, const JournalFacts& journal, Timestamp now) {
  metrics.push_back(metric(names::journal_head, now, integer(journal.head)));
  metrics.push_back(metric(names::journal_oldest, now, integer(journal.oldest)));
  metrics.push_back(metric(names::journal_lost, now, integer(journal.lost)));
  metrics.push_back(metric(names::journal_state, now, static_cast<std::int64_t>(journal.health)));
  metrics.push_back(metric(names::journal_moved_aside, now, journal.moved_aside));
  metrics.push_back(metric(names::journal_dropped_polls, now, integer(journal.dropped_polls)));
}

}  // namespace

void put_in_time_order(std::vector<Metric>& metrics) {
  std::stable_sort(metrics.begin(), metrics.end(),
                   [](const Metric& a, const Metric& b) { return a.at < b.at; });
}

std::string to_json(const std::map<std::int64_t, StateText>& states) {
  if (states.empty()) return {};
  nlohmann::ordered_json json;
  for (const auto& [code, text] : states) json[std::to_string(code)] = {{"zh", text.zh}, {"en", text.en}};
  return json.dump();
}

std::string label_json(const std::optional<StateText>& label) {
  if (!label) return {};
  return nlohmann::ordered_json{{"zh", label->zh}, {"en", label->en}}.dump();
}

Payload node_birth(std::uint8_t bd_seq, const std::string& name, std::chrono::seconds heartbeat,
                   const JournalFacts& journal, const std::string& challenge, Timestamp now) {
  Payload birth;
  birth.at = now;
  birth.metrics.push_back(metric(names::bd_seq, now, std::int64_t{bd_seq}));
  birth.metrics.push_back(metric(names::rebirth, now, false));
  birth.metrics.push_back(metric(names::journal_ack, now, std::string{}));
  birth.metrics.push_back(metric(names::order, now, std::string{}));
  birth.metrics.push_back(metric(names::journal_id, now, journal.id));
  add_journal(birth.metrics, journal, now);
  birth.metrics.push_back(metric(names::name, now, name));
  birth.metrics.push_back(metric(names::version, now, std::string{WATCHROOM_VERSION}));
  birth.metrics.push_back(metric(names::heartbeat, now, std::int64_t{heartbeat.count()}));
  birth.metrics.push_back(metric(names::challenge, now, challenge));
  return birth;
}

Payload heartbeat(const JournalFacts& journal, const std::string& challenge, Timestamp now) {
  Payload payload;
  payload.at = now;
  add_journal(payload.metrics, journal, now);
  payload.metrics.push_back(metric(names::challenge, now, challenge));
  return payload;
}

Payload node_death(std::uint8_t bd_seq, Timestamp now) {
  Payload death;
  death.at = now;
  death.metrics = {metric(names::bd_seq, now, std::int64_t{bd_seq})};
  return death;
}

}  // namespace watchroom::agent
