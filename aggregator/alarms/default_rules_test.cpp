// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

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
                                  "power_supply[].state"};

std::vector<Rule> rules() {
  Problems problems;
  auto rules = load_rules({}, problems);
  EXPECT_TRUE(problems.empty()) << problems.str();
  return rules;
}

struct ProfilePoint {
  std::string profile, name;
  std::map<std::string, std::string> states;  // code -> English
};

/// Tables anywhere in a profile that name a point.
void collect(const toml::node& node, const std::string& profile, std::vector<ProfilePoint>& points) {
  if (const auto* array = node.as_array())
    for (const auto& each : *array) collect(each, profile, points);
  const auto* table = node.as_table();
  if (!table) return;
  const auto name = (*table)["name"].value<std::string>();
  if (name && PointName::parse(*name)) {
    ProfilePoint point{profile, *name, {}};
    if (const auto* states = (*table)["states"].as_table())
      for (const auto& [code, text] : *states)
        point.states[std::string{code.str()}] = (*text.as_table())["en"].value_or(std::string{});
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

/// Some devices tell only what is no danger by itself: charging, resting, on the inverter.
bool names_a_danger(const ProfilePoint& point) {
  static constexpr std::array dangers{"on battery", "low", "deplet", "fault", "fail", "alarm", "wet", "leak"};
  return std::any_of(point.states.begin(), point.states.end(), [](const auto& state) {
    return std::any_of(dangers.begin(), dangers.end(),
                       [&](const char* danger) { return state.second.find(danger) != std::string::npos; });
  });
}

TEST(DefaultRules, TellGoodFromBadInTheWordsOfEveryProfile) {
  const auto all = rules();
  const auto points = points_of_all_profiles();
  ASSERT_GT(points.size(), 50u);
  for (const ProfilePoint& point : points) {
    const PointKind& kind = PointName::parse(point.name)->kind();
    if (!is_safety(kind) || kind.unit != Unit::state || point.states.empty()) continue;
    int raised = 0, quiet = 0;
    for (const auto& [code, text] : point.states) {
      const Situation situation{.value = std::stod(code), .state_en = text};
      const bool holds = std::any_of(all.begin(), all.end(), [&](const Rule& rule) {
        return watches(rule, point.name) && rule.condition->judge(situation) == Verdict::holds;
      });
      ++(holds ? raised : quiet);
    }
    EXPECT_TRUE(raised > 0 || !names_a_danger(point))
        << point.profile << " " << point.name << ": no state of it raises anything";
    EXPECT_GT(quiet, 0) << point.profile << " " << point.name << ": every state of it is an alarm";
  }
}

}  // namespace
}  // namespace watchroom::aggregator
