// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rule.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "proto/model/point_name.hpp"
#include "proto/rules/rule_keys.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

/// A limit is a number in a unit: both must be those of the point.
void check_point(const SettingsTable& table, const Rule& rule) {
  const bool is_foreign =
      table.flag("foreign", false, "The point is a metric of a foreign Sparkplug edge node");
  const bool is_known = reason_unknown(rule.point).empty();
  // What a foreign node measures in is its own affair.
  check_unit(table, rule.point, rule.kind->has_unit && !is_foreign);
  if (!is_known && !is_foreign)
    table.reject("point",
                 fmt::format("a known point ({}); for a metric of a foreign edge node add foreign = true",
                             reason_unknown(rule.point)));
}

void read_place(const SettingsTable& table, Rule& rule) {
  rule.site = table.text("site", {.help = "Sites it watches; * is any run", .fallback = "*"});
  rule.agent = table.text("agent", {.help = "Agents it watches", .fallback = "*"});
  if (!rule.kind || rule.kind->subject == Subject::point)
    rule.device = table.text("device", {.help = "Devices it watches", .fallback = "*"});
}

Rule read_rule(const SettingsTable& table) {
  Rule rule;
  rule.id = table.text("id", {.help = "Its name in alarms and in this file; unique", .longest = 100});
  const bool is_enabled = table.flag(
      "enabled", true, "false takes a default rule, or a profile's alarm, away: then only id is needed");
  if (!is_enabled) {
    if (!is_profile_id(rule.id)) return rule;
    read_place(table, rule);
    table.finish();
    return rule;
  }
  if (is_profile_id(rule.id) && rule.id.find('*') != std::string::npos)
    table.reject("id", "an id without *, unless enabled is false");
  std::vector<std::pair<std::string_view, const RuleKind*>> kinds;
  for (const RuleKind* kind : rule_kinds()) kinds.emplace_back(kind->name, kind);
  rule.kind = table.choice<const RuleKind*>("kind", kinds, std::nullopt, "What it judges");
  read_place(table, rule);
  if (rule.kind->subject == Subject::point) {
    rule.point = rule.kind->name == "lost_data"
                     ? table.text("point", {.help = "Points it watches", .fallback = "*"})
                     : table.text("point", {.help = "Points it watches, e.g. ambient.temperature"});
    if (!rule.point.empty()) check_point(table, rule);
  }
  rule.condition = rule.kind->read(table);
  rule.delays = read_delays(table);
  rule.severity = table.choice<Severity>("severity",
                                         {{"critical", Severity::critical},
                                          {"major", Severity::major},
                                          {"minor", Severity::minor},
                                          {"warning", Severity::warning}},
                                         Severity::major, "X.733 severity: 紧急 重要 次要 提示");
  rule.title_zh = table.text("title_zh", {.help = "What people read first, in Chinese", .longest = 200});
  rule.title_en =
      table.text("title_en", {.help = "The same in English", .fallback = rule.title_zh, .longest = 200});
  table.finish();
  return rule;
}

}  // namespace

bool Rule::watches_point(std::string_view site_id, std::string_view agent_id, std::string_view device_id,
                         std::string_view point_name) const {
  if (kind->subject != Subject::point) return false;
  if (!matches_glob(site, site_id) || !matches_glob(agent, agent_id) || !matches_glob(device, device_id))
    return false;
  return matches_point(point, point_name);
}

bool Rule::watches_agent(std::string_view site_id, std::string_view agent_id) const {
  return kind->subject == Subject::agent && matches_glob(site, site_id) && matches_glob(agent, agent_id);
}

AlarmSettings AlarmSettings::read(const SettingsTable& table) {
  AlarmSettings read;
  read.rules_file =
      table.optional_file("rules_file", {.help = "TOML file of [[rule]]s, added to the built-in ones"});
  read.agent_offline_after =
      table.duration("agent_offline_after_s",
                     {.help = "An agent gone this long raises agent_offline", .fallback = 20s, .most = 1h});
  read.birth_wait = table.duration(
      "birth_wait_s",
      {.help = "After the broker is back, an agent not heard of for this long counts as offline",
       .fallback = 60s,
       .least = 1s,
       .most = 1h});
  table.finish();
  return read;
}

namespace {

template <typename Check>
std::vector<Rule> read_rules(const SettingsTable& table, Check check) {
  std::vector<Rule> rules;
  std::set<std::string> seen;
  for (const SettingsTable& each : table.tables("rule")) {
    Rule rule = read_rule(each);
    // One alarm of profiles may be taken away from several devices.
    const bool may_repeat = !rule.condition && is_profile_id(rule.id);
    if (!seen.insert(rule.id).second && !may_repeat)
      each.reject("id", "an id that no other rule of this file has");
    check(each, rule);
    rules.push_back(std::move(rule));
  }
  table.finish();
  return rules;
}

/// The file's rules replace built-in ones by id, add to them, or take them away.
void merge(const SettingsTable& file, std::vector<Rule>& rules) {
  const auto same_as = [&](const Rule& own) {
    return std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.id == own.id; });
  };
  auto read = read_rules(file, [&](const SettingsTable& table, const Rule& own) {
    if (!own.condition && table.has("enabled") && !is_profile_id(own.id) && same_as(own) == rules.end())
      table.reject(
          "id",
          "the id of a built-in rule or of a profile's alarm (\"profile:…\"), because enabled is false");
  });
  for (Rule& own : read) {
    if (const auto same = same_as(own); same != rules.end())
      *same = std::move(own);
    else
      rules.push_back(std::move(own));
  }
}

}  // namespace

std::vector<Rule> read_rules(const SettingsTable& table) {
  return read_rules(table, [](const SettingsTable&, const Rule&) {});
}

std::vector<Rule> load_rules(const AlarmSettings& settings, Problems& problems) {
  std::vector<Rule> rules;
  if (const auto built_in = SettingsTable::parse(default_rules(), "default_rules.toml", problems))
    rules = read_rules(*built_in);
  for (Rule& rule : rules) rule.layer = Layer::built_in;
  for (Rule& rule : rules)
    if (rule.kind->name == "agent_offline") rule.delays.on = settings.agent_offline_after;
  if (settings.rules_file) {
    if (const auto file = SettingsTable::load(*settings.rules_file, problems)) {
      merge(*file, rules);
    }
  }
  std::erase_if(rules, [](const Rule& rule) { return !rule.condition && !is_profile_id(rule.id); });
  return rules;
}

namespace {

const RuleKind* kind_named(std::string_view name) {
  const auto kinds = rule_kinds();
  return *std::find_if(kinds.begin(), kinds.end(), [&](const RuleKind* kind) { return kind->name == name; });
}

}  // namespace

bool is_profile_id(std::string_view rule_id) { return rule_id.starts_with("profile:"); }

Rule rule_of(const PointAlarm& alarm, std::string_view point, std::size_t number) {
  Rule rule;
  rule.id = fmt::format("profile:{}:{}", point, number);
  switch (alarm.raised) {
    case PointAlarm::Raised::above:
      rule.kind = kind_named("high_limit");
      rule.condition = above(alarm.limit, alarm.clear_limit);
      break;
    case PointAlarm::Raised::below:
      rule.kind = kind_named("low_limit");
      rule.condition = below(alarm.limit, alarm.clear_limit);
      break;
    case PointAlarm::Raised::in_states:
      rule.kind = kind_named("state");
      rule.condition = in_codes(alarm.states);
      break;
  }
  rule.point = point;
  rule.delays = {alarm.on_delay, alarm.off_delay};
  rule.severity = alarm.severity;
  rule.title_zh = alarm.title_zh;
  rule.title_en = alarm.title_en;
  rule.layer = Layer::profile;
  rule.is_instead = alarm.is_instead;
  return rule;
}

std::string with_unit(double value, Unit unit) {
  const auto symbol = symbol_of(unit);
  std::string text = fmt::format("{:.6g}", std::round(value * 1000) / 1000);
  if (!symbol.empty()) text += fmt::format(" {}", symbol);
  return text;
}

}  // namespace watchroom::aggregator
