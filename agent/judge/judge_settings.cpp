// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/judge_settings.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "agent/profiles/profile_grammar.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/model/point_name.hpp"
#include "proto/rules/rule_keys.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// Water and fire do not wait.
constexpr auto slow = 5s;
constexpr std::size_t longest_name = 32;  // it becomes the instance of a point

/// Reads the tables one after the other, and remembers what two of them may not share.
class JudgeReader {
 public:
  explicit JudgeReader(const std::vector<ConfiguredDevice>& devices) : devices_{devices} {}

  JudgeSettings read(const SettingsTable& table) {
    for (const SettingsTable& one : table.tables("output")) settings_.outputs.push_back(read_output(one));
    for (const SettingsTable& one : table.tables("reaction"))
      settings_.reactions.push_back(read_reaction(one));
    for (const SettingsTable& one : table.tables("inhibit")) settings_.inhibits.push_back(read_inhibit(one));
    return std::move(settings_);
  }

 private:
  template <typename Named>
  std::string read_name(const SettingsTable& table, const std::vector<Named>& others, std::string_view help) {
    std::string name = table.text("name", {.help = help, .longest = longest_name});
    if (!name.empty() && !is_valid_id(name)) table.reject("name", "1 to 32 letters, digits, _ or -");
    const bool is_taken =
        std::any_of(others.begin(), others.end(), [&](const Named& other) { return other.name == name; });
    if (!name.empty() && is_taken) table.reject("name", "a name of its own");
    return name;
  }

  OutputSettings read_output(const SettingsTable& table) {
    OutputSettings output;
    output.name = read_name(table, settings_.outputs, "what the output is called, such as siren");
    output.device_id = table.text("device", {.help = "id of the device that has it"});
    output.point = table.text("point", {.help = "its point, which the profile lets be written"});
    const ConfiguredDevice* device = find_device(table, output);
    const PointTraits* traits = device ? find_point(table, *device, output) : nullptr;
    output.on = read_code(table, "on_is", 1, traits, "state of the point in which it does what it is for");
    output.off = read_code(table, "off_is", 0, traits, "state of the point in which it does not");
    if (traits && output.on == output.off) table.reject("off_is", "another state than on_is");
    output.at_start =
        read_drive(table, "at_start", "from the agent's start until its reactions can be judged");
    output.on_agent_death = read_drive(table, "on_agent_death", "when the agent has ended, however it did");
    output.on_link_loss =
        read_drive(table, "on_link_loss", "without a broker for link_loss_s; a raised reaction counts more");
    output.link_loss = table.duration(
        "link_loss_s",
        {.help = "how long there must be none", .fallback = 300s, .least = 1s, .most = 24h * 7});
    output.on_inhibit =
        table.choice<Drive>("on_inhibit", {{"off", Drive::off}, {"keep", Drive::keep}}, Drive::off,
                            "while inhibited: off, or left as it is; what reactions say is passed over");
    output.put_right = table.choice<PutRight>(
        "put_right",
        {{"when_on", PutRight::when_on}, {"always", PutRight::always}, {"never", PutRight::never}},
        PutRight::when_on, "an output that somebody else has switched: set again when it should be on");
    output.takes_orders = table.flag("orders", true, "whether the centre may order it on or off");
    table.finish();
    return output;
  }

  static Drive read_drive(const SettingsTable& table, std::string_view key, std::string_view help) {
    return table.choice<Drive>(key, {{"on", Drive::on}, {"off", Drive::off}, {"keep", Drive::keep}},
                               std::nullopt, help);
  }

  const ConfiguredDevice* find_device(const SettingsTable& table, OutputSettings& output) {
    if (output.device_id.empty()) return nullptr;
    const auto found = std::find_if(devices_.begin(), devices_.end(), [&](const ConfiguredDevice& device) {
      return device.description.id == output.device_id;
    });
    if (found == devices_.end()) {
      table.reject("device", "the id of a [[device]]");
      return nullptr;
    }
    output.device = static_cast<std::size_t>(found - devices_.begin());
    return found->profile ? &*found : nullptr;  // a device without one has its own problem
  }

  const PointTraits* find_point(const SettingsTable& table, const ConfiguredDevice& device,
                                const OutputSettings& output) {
    if (output.point.empty()) return nullptr;
    const auto& points = device.profile->points;
    const auto is_it = [&](const ProfilePoint& point) { return is_point(point, output.point); };
    const auto found = std::find_if(points.begin(), points.end(), is_it);
    if (found == points.end() || !found->is_writable || found->traits->unit != Unit::state) {
      table.reject("point", fmt::format("a switch that the profile {} lets be written: {}",
                                        device.profile->name, writable_names(*device.profile)));
      return nullptr;
    }
    check_release(table, device, *found, output);
    for (const OutputSettings& other : settings_.outputs)
      if (other.device == output.device && other.point == output.point)
        table.reject("point", fmt::format("a point of its own: it is the output {} already", other.name));
    return found->traits.get();
  }

  /// An output is refused by whatever its name, its device or its point tells.
  static void check_release(const SettingsTable& table, const ConfiguredDevice& device,
                            const ProfilePoint& point, const OutputSettings& output) {
    const auto check = [&](std::string_view key, std::string_view text) {
      const std::string told = told_of_release(text, SaidOf::what_is_set);
      if (!told.empty()) table.complain(key, told);
    };
    check("name", output.name);
    check("device", device.description.id);
    if (device.description.name != device.description.id) check("device", device.description.name);
    check("point", output.point);
    if (point.traits->label) check("point", point.traits->label->zh + " " + point.traits->label->en);
    if (!device.profile->protection.empty()) table.complain("point", device.profile->protection);
  }

  static std::string writable_names(const Profile& profile) {
    std::vector<std::string> names;
    for (const ProfilePoint& point : profile.points)
      if (point.is_writable && point.traits->unit == Unit::state) names.push_back(point.name);
    return names.empty() ? "it has none" : fmt::format("{}", fmt::join(names, " "));
  }

  /// A row of a table has its instance where the profile has a star.
  static bool is_point(const ProfilePoint& point, std::string_view name) {
    return point.name == name ||
           (point.is_table() && without_instances(point.name) == without_instances(name));
  }

  static std::int64_t read_code(const SettingsTable& table, std::string_view key, std::int64_t fallback,
                                const PointTraits* traits, std::string_view help) {
    const std::string written = table.text(key, {.help = help, .fallback = std::to_string(fallback)});
    if (!traits) return fallback;
    std::string known;
    for (const auto& [code, text] : traits->states) {
      if (written == std::to_string(code) || written == text.zh || written == text.en) return code;
      known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", text.en);
    }
    table.reject(key, fmt::format("a state of the point: {}", known.empty() ? "it has none" : known));
    return fallback;
  }

  LocalRule read_rule(const SettingsTable& table) {
    LocalRule rule;
    rule.device = table.text("device", {.help = "ids of devices; * is any run", .fallback = "*"});
    rule.point = table.text("point", {.help = "points it watches, e.g. leak.state"});
    rule.condition = read_point_condition(table);
    if (!rule.point.empty() || table.is_description())
      check_unit(table, rule.point, has_unit(rule.condition));
    rule.delays = read_delays(table);
    if (!rule.point.empty()) check_watched(table, rule);
    return rule;
  }

  void check_watched(const SettingsTable& table, const LocalRule& rule) const {
    if (const std::string reason = reason_unknown(rule.point); !reason.empty()) {
      table.reject("point", fmt::format("a known point ({})", reason));
      return;
    }
    bool has_device = devices_.empty();  // in a description
    bool is_found = false;
    for (const ConfiguredDevice& device : devices_) {
      if (!matches_glob(rule.device, device.description.id)) continue;
      has_device = true;
      if (!device.profile) return;
      if (!has_point(*device.profile, rule)) continue;
      is_found = true;
      if (device.description.poll_interval > slow)
        table.warn("point", fmt::format("{} is asked every {} s: so late the reaction may be",
                                        device.description.id, device.description.poll_interval / 1s));
    }
    if (is_found) return;
    if (!has_device)
      table.reject("device", "the id of a [[device]]");
    else
      table.reject("point", "a point that the profile of such a device has");
  }

  static bool has_point(const Profile& profile, const LocalRule& rule) {
    return std::any_of(profile.points.begin(), profile.points.end(), [&](const ProfilePoint& point) {
      if (matches_point(rule.point, point.name)) return true;
      return point.is_table() && matches_point(without_instances(rule.point), without_instances(point.name));
    });
  }

  ReactionSettings read_reaction(const SettingsTable& table) {
    ReactionSettings reaction;
    reaction.name = read_name(table, settings_.reactions, "what the reaction is called");
    reaction.rule = read_rule(table);
    const auto names = table.texts("outputs", "names of the [[output]]s that it switches on");
    if (names.empty()) table.complain("outputs", "is missing, expected a list of at least one output");
    for (const std::string& name : names) {
      const auto found = std::find_if(settings_.outputs.begin(), settings_.outputs.end(),
                                      [&](const OutputSettings& output) { return output.name == name; });
      if (found == settings_.outputs.end())
        table.complain("outputs",
                       fmt::format("\"{}\" is not known, expected the name of an [[output]]", name));
      else
        reaction.outputs.push_back(static_cast<std::size_t>(found - settings_.outputs.begin()));
    }
    reaction.does = table.choice<Does>(
        "does",
        {{"while_raised", Does::while_raised}, {"until_reset", Does::until_reset}, {"pulse", Does::pulse}},
        Does::while_raised, "on while it is raised, until it is reset, or once");
    const auto pulse =
        table.optional_duration("pulse_s", {.help = "how long a pulse is", .least = 1s, .most = 24h});
    if (pulse && reaction.does != Does::pulse) table.reject("pulse_s", "no such key unless does = \"pulse\"");
    if (!pulse && reaction.does == Does::pulse) table.complain("pulse_s", "is missing, expected a duration");
    reaction.pulse = pulse.value_or(0ms);
    table.finish();
    return reaction;
  }

  InhibitInput read_inhibit(const SettingsTable& table) {
    InhibitInput input;
    input.name = read_name(table, settings_.inhibits, "what the key switch is called");
    input.rule = read_rule(table);
    input.longest = table.duration("longest_h", {.help = "then it counts no more, until it has been off",
                                                 .fallback = 24h,
                                                 .least = 1h,
                                                 .most = 24h * 7});
    table.finish();
    return input;
  }

  const std::vector<ConfiguredDevice>& devices_;
  JudgeSettings settings_;
};

}  // namespace

std::string_view name_of(Drive drive) {
  switch (drive) {
    case Drive::keep: return "keep";
    case Drive::off: return "off";
    case Drive::on: return "on";
  }
  return "keep";
}

bool LocalRule::watches(std::string_view device_id, std::string_view point_name) const {
  return matches_glob(device, device_id) && matches_point(point, point_name);
}

JudgeSettings JudgeSettings::read(const SettingsTable& table, const std::vector<ConfiguredDevice>& devices) {
  return JudgeReader{devices}.read(table);
}

}  // namespace watchroom::agent
