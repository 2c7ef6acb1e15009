// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include "aggregator/alarms/rule.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::aggregator {
namespace {

/// What must raise an alarm in a room that nobody has written rules for.
constexpr std::array safety_kinds{"leak[].state",
                                  "leak[].cable_fault",
                                  "leak[].contamination",
                                  "smoke[].state",
                                  "fire[].alarm",
                                  "gas_cylinder[].pressure",
                                  "gas_cylinder[].weight_loss",
                                  "battery[].low",
                                  "battery[].status",
                                  "battery[].fault",
                                  "battery[].replace",
                                  "battery[].connection",
                                  "ups.overload",
                                  "ups.on_battery",
                                  "ups.mode",
                                  "output.source",
                                  "phase[].load_state",
                                  "bank[].load_state",
                                  "pdu[].load_state",
                                  "outlet[].load_state",
                                  "pdu[].power_supply",
                                  "ats.redundancy",
                                  "ats.source[].state",
                                  "cooling[].alarm",
                                  "cooling[].filter",
                                  "device.fault",
                                  "device.alarm",
                                  "alarm[].state",
                                  "fan[].state",
                                  "power_supply[].state",
                                  "rectifier[].state",
                                  "inverter[].state",
                                  "fuse[].state",
                                  "breaker[].state",
                                  "surge_protector[].state",
                                  "ups.module[].state",
                                  "ups.state",
                                  "ups.test_result",
                                  "battery[].symmetry",
                                  "battery[].test_result",
                                  "device.status",
                                  "input[].state",
                                  "output[].state",
                                  "generator[].state",
                                  "reachability.state",
                                  "ups.alarm_count",
                                  "device.alarm_count",
                                  "cooling[].alarm_count"};

std::vector<Rule> rules() {
  Problems problems;
  auto rules = load_rules({}, problems);
  EXPECT_TRUE(problems.empty()) << problems.str();
  return rules;
}

struct ProfilePoint {
  std::string profile, name;
  std::map<std::string, std::string> states;  // code -> English
  std::set<std::string> own_alarms;           // codes that the profile itself asks to be told of
};

/// "fuse[*].state" stands for every row of a table.
std::string with_row(std::string name) {
  for (auto at = name.find("[*]"); at != std::string::npos; at = name.find("[*]")) name[at + 1] = '1';
  return name;
}

/// Tables anywhere in a profile that name a point.
void collect(const toml::node& node, const std::string& profile, std::vector<ProfilePoint>& points) {
  if (const auto* array = node.as_array())
    for (const auto& each : *array) collect(each, profile, points);
  const auto* table = node.as_table();
  if (!table) return;
  const auto name = (*table)["name"].value<std::string>();
  const std::string of_a_row = name ? with_row(*name) : "";
  if (name && PointName::parse(of_a_row)) {
    ProfilePoint point{profile, of_a_row, {}, {}};
    if (const auto* states = (*table)["states"].as_table())
      for (const auto& [code, text] : *states)
        point.states[std::string{code.str()}] = (*text.as_table())["en"].value_or(std::string{});
    if (const auto* alarms = (*table)["alarms"].as_array())
      for (const auto& alarm : *alarms)
        if (const auto* codes = (*alarm.as_table())["states"].as_array())
          for (const auto& code : *codes)
            point.own_alarms.insert(std::to_string(code.value<std::int64_t>().value_or(0)));
    points.push_back(std::move(point));
  }
  for (const auto& [key, each] : *table) collect(each, profile, points);
}

std::vector<ProfilePoint> points_of_all_profiles() {
  std::vector<ProfilePoint> points;
  for (const auto& file : std::filesystem::directory_iterator{WATCHROOM_PROFILES})
    if (file.path().extension() == ".toml")
      collect(toml::parse_file(file.path().string()), file.path().stem().string(), points);
  return points;
}

bool is_safety(const PointKind& kind) {
  return std::find(safety_kinds.begin(), safety_kinds.end(), kind.name) != safety_kinds.end();
}

bool watches(const Rule& rule, const std::string& point) {
  return rule.kind->judges_history && rule.watches_point("hq", "room1", "d1", point);
}

TEST(DefaultRules, WatchEveryKindThatMattersForSafety) {
  const auto all = rules();
  for (const char* name : safety_kinds) {
    std::string plain{name};
    for (auto at = plain.find("[]"); at != std::string::npos; at = plain.find("[]"))
      plain.insert(at + 1, "a");
    EXPECT_TRUE(PointName::parse(plain)) << name << " is no kind of point";
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Rule& rule) { return watches(rule, plain); }))
        << name;
  }
}

/// Words that mean the same in whatever device says them. Capitals do not matter.
const std::set<std::string> harmless_words{
    "normal",          "ok",          "good",     "no alarm",      "no alarms", "no fault", "no error",
    "not active",      "no smoke",    "no fluid", "no leak",       "noleak",    "dry",      "not failed",
    "fully redundant", "no overload", "noalarm",  "alarm resumed", "not full",  "passed"};
const std::set<std::string> dangerous_words{
    "fault",        "failed", "failure",  "fail",       "tripped",        "blown",          "critical",
    "major alarm",  "wet",    "broken",   "depleted",   "overload",       "alarm",          "alarmed",
    "contaminated", "leak",   "abnormal", "on battery", "smoke detected", "redundancy lost"};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Some devices tell only what is no danger by itself: charging, resting, on the inverter.
bool names_a_danger(const ProfilePoint& point) {
  static constexpr std::array dangers{"on battery", "deplet", "fault", "fail", "alarm", "wet", "leak"};
  return std::any_of(point.states.begin(), point.states.end(), [&](const auto& state) {
    // The speed of a fan may be low.
    if (point.name.starts_with("battery") && state.second.find("low") != std::string::npos) return true;
    return !harmless_words.contains(lower(state.second)) &&
           std::any_of(dangers.begin(), dangers.end(),
                       [&](const char* danger) { return state.second.find(danger) != std::string::npos; });
  });
}

TEST(DefaultRules, TellGoodFromBadInTheWordsOfEveryProfile) {
  const auto all = rules();
  const auto points = points_of_all_profiles();
  ASSERT_GT(points.size(), 500u);
  for (const ProfilePoint& point : points) {
    const PointKind& kind = PointName::parse(point.name)->kind();
    if (!is_safety(kind) || kind.unit != Unit::state || point.states.empty()) continue;
    int raised = 0, quiet = 0;
    for (const auto& [code, text] : point.states) {
      const Situation situation{.value = std::stod(code), .state_en = text};
      const bool is_own = point.own_alarms.contains(code);
      const bool holds =
          is_own || std::any_of(all.begin(), all.end(), [&](const Rule& rule) {
            return watches(rule, point.name) && rule.condition->judge(situation) == Verdict::holds;
          });
      ++(holds ? raised : quiet);
      const auto where = point.profile + " " + point.name + ": " + text;
      if (harmless_words.contains(lower(text))) {
        EXPECT_FALSE(holds) << where;
      }
      // A module of a UPS on battery is told by the UPS itself.
      if (dangerous_words.contains(lower(text)) && !point.name.starts_with("ups.module")) {
        EXPECT_TRUE(holds) << where;
      }
    }
    EXPECT_TRUE(raised > 0 || !names_a_danger(point))
        << point.profile << " " << point.name << ": no state of it raises anything";
    EXPECT_GT(quiet, 0) << point.profile << " " << point.name << ": every state of it is an alarm";
  }
}

struct Illness {
  std::string point;
  Unit unit;
  double value;
  std::string state_en;
  std::string raises;  // the loudest rule; empty: none
};

TEST(DefaultRules, KnowWhenAnAgentIsIll) {
  const std::vector<Illness> all{
      {"agent.disk_used", Unit::percent, 89, "", ""},
      {"agent.disk_used", Unit::percent, 91, "", "agent-disk-filling"},
      {"agent.disk_used", Unit::percent, 98, "", "agent-disk-full"},
      {"agent.disk_state", Unit::state, 0, "writable", ""},
      {"agent.disk_state", Unit::state, 1, "read-only", "agent-disk-read-only"},
      {"agent.disk_errors", Unit::count, 0, "", ""},
      {"agent.disk_errors", Unit::count, 1, "", "agent-disk-errors"},
      {"journal.state", Unit::state, 0, "durable", ""},
      {"journal.state", Unit::state, 1, "in memory only", "agent-journal-not-durable"},
      {"journal.state", Unit::state, 2, "failing", "agent-journal-not-durable"},
      {"journal.oldest_age", Unit::second, 12, "", ""},
      {"journal.oldest_age", Unit::second, 601, "", "agent-journal-backlog"},
      {"clock.state", Unit::state, 0, "synchronised", ""},
      {"clock.state", Unit::state, 1, "not confirmed", "agent-clock"},
      {"clock.state", Unit::state, 2, "unsure", "agent-clock"},
      {"certificate[client].days", Unit::count, 30, "", ""},
      {"certificate[client].days", Unit::count, 29, "", "agent-certificate-30-days"},
      {"certificate[client].days", Unit::count, 14, "", "agent-certificate-30-days"},
      {"certificate[ca].days", Unit::count, 13, "", "agent-certificate-14-days"},
      {"certificate[client].days", Unit::count, 7, "", "agent-certificate-14-days"},
      {"certificate[client].days", Unit::count, 6, "", "agent-certificate-7-days"},
      {"certificate[client].days", Unit::count, 1, "", "agent-certificate-7-days"},
      {"certificate[client].days", Unit::count, 0, "", "agent-certificate-1-day"},
      {"certificate[client].days", Unit::count, -89, "", "agent-certificate-1-day"},
      {"certificate[client].state", Unit::state, 0, "valid", ""},
      {"certificate[client].state", Unit::state, 2, "expired", "agent-certificate-expired"},
      {"certificate[ca].state", Unit::state, 3, "unreadable", "agent-certificate-unusable"},
      {"certificate[ca].state", Unit::state, 1, "not valid yet", "agent-certificate-unusable"},
      {"orders.state", Unit::state, 0, "normal", ""},
      {"orders.state", Unit::state, 1, "refused lately", "agent-orders-refused"},
      {"bus[ttyS1].errors", Unit::percent, 15, "", ""},
      {"bus[ttyS1].errors", Unit::percent, 25, "", "agent-bus-errors"},
      {"bus[ttyS1].lateness", Unit::millisecond, 31'000, "", "agent-bus-overloaded"},
      {"agent.cpu", Unit::percent, 2, "", ""},
      {"agent.cpu", Unit::percent, 95, "", "agent-cpu-high"},
      {"agent.memory_anonymous", Unit::byte, 8e6, "", ""},
      {"agent.memory_anonymous", Unit::byte, 2.1e8, "", "agent-memory-high"},
      {"machine.memory_available", Unit::byte, 1e7, "", "agent-machine-memory-low"},
      {"agent.descriptors", Unit::percent, 81, "", "agent-descriptors"},
      {"mailbox.fill", Unit::percent, 81, "", "agent-mailbox-full"},
      {"device.temperature", Unit::celsius, 86, "", "agent-machine-hot"},
  };
  const auto known = rules();
  for (const Illness& illness : all) {
    ASSERT_TRUE(PointName::parse(illness.point)) << illness.point << " is no point";
    EXPECT_EQ(PointName::parse(illness.point)->kind().unit, illness.unit) << illness.point;
    const Situation situation{.value = illness.value, .unit = illness.unit, .state_en = illness.state_en};
    const Rule* loudest = nullptr;
    for (const Rule& rule : known)
      if (rule.kind->judges_history && rule.watches_point("hq", "room1", "self", illness.point) &&
          rule.condition->judge(situation) == Verdict::holds &&
          (!loudest || rule.severity < loudest->severity))
        loudest = &rule;
    EXPECT_EQ(loudest ? loudest->id : "", illness.raises) << illness.point << " = " << illness.value;
  }
}

TEST(DefaultRules, ACountOfAlarmsIsTheDevicesOwnWord) {
  const auto all = rules();
  const auto rule =
      std::find_if(all.begin(), all.end(), [](const Rule& each) { return each.id == "ups-alarms"; });
  ASSERT_NE(rule, all.end());
  EXPECT_EQ(rule->condition->judge({.value = 1.0}), Verdict::holds);
  EXPECT_EQ(rule->condition->judge({.value = 0.0}), Verdict::gone)
      << "without hysteresis the limit itself is back";
}

}  // namespace
}  // namespace watchroom::aggregator
