// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/alarms/rules/condition.hpp"
#include "proto/model/point_alarm.hpp"

namespace watchroom::aggregator {

/// Whose word a rule is; the later one goes before the earlier.
enum class Layer { built_in, profile, site };

/// A [[rule]]: what it watches, when it is raised, how loud it is. Immutable once read; shared by its alarms.
struct Rule {
  std::string id;
  const RuleKind* kind = nullptr;
  std::shared_ptr<const Condition> condition;  // shared by every subject that the rule watches
  std::string site = "*", agent = "*", device = "*", point = "*";  ///< globs
  Delays delays;
  Severity severity = Severity::major;
  std::string title_zh, title_en;
  Layer layer = Layer::site;
  bool is_instead = false;  ///< of a profile: the built-in rules of its direction do not watch its point

  /// `point` patterns without brackets match the kind's every instance: "ambient.temperature" watches
  /// ambient[rack1].temperature too.
  bool watches_point(std::string_view site_id, std::string_view agent_id, std::string_view device_id,
                     std::string_view point_name) const;
  bool watches_agent(std::string_view site_id, std::string_view agent_id) const;
};

struct AlarmSettings {
  std::optional<std::filesystem::path> rules_file;
  std::chrono::milliseconds agent_offline_after{20'000};
  std::chrono::milliseconds birth_wait{60'000};

  static AlarmSettings read(const SettingsTable& table);
};

/// The rules that guard a room nobody has written rules for (default_rules.toml).
std::string_view default_rules();

/// The default rules, replaced by id and added to by the file's. `enabled = false` takes one away. What is
/// left without a condition takes an alarm of profiles away (`is_profile_id`); its id may be a glob.
std::vector<Rule> load_rules(const AlarmSettings& settings, Problems& problems);
std::vector<Rule> read_rules(const SettingsTable& table);

/// The rule for alarm number `number` (from 1) of a point's profile: "profile:gas_cylinder.pressure:1".
Rule rule_of(const PointAlarm& alarm, std::string_view point, std::size_t number);
bool is_profile_id(std::string_view rule_id);

}  // namespace watchroom::aggregator
