// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/rules/rule_keys.hpp"

#include <fmt/format.h>

#include "proto/model/point_name.hpp"

namespace watchroom {
namespace {

using namespace std::chrono_literals;

std::string without_brackets(std::string_view name) {
  std::string plain{name};
  for (auto at = plain.find("[]"); at != std::string::npos; at = plain.find("[]")) plain.erase(at, 2);
  return plain;
}

bool is_pattern_of(std::string_view pattern, const PointKind& kind) {
  const std::string bare = without_instances(pattern);
  return matches_glob(bare, kind.name) || matches_glob(bare, without_brackets(kind.name));
}

}  // namespace

bool matches_point(std::string_view pattern, std::string_view point) {
  if (matches_glob(pattern, point)) return true;
  if (pattern.find('[') != std::string_view::npos) return false;
  return matches_glob(pattern, without_brackets(without_instances(point)));
}

Delays read_delays(const SettingsTable& table) {
  Delays delays;
  delays.on = table.duration(
      "on_delay_s", {.help = "How long it must hold before it is raised", .fallback = 0s, .most = 24h});
  delays.off = table.duration(
      "off_delay_s", {.help = "How long it must be gone before it clears", .fallback = 0s, .most = 24h});
  return delays;
}

std::string reason_unknown(std::string_view pattern) {
  for (const PointKind& kind : point_kinds())
    if (is_pattern_of(pattern, kind)) return {};
  const auto parsed = PointName::parse(pattern);
  return parsed ? "" : parsed.error().text;
}

void check_unit(const SettingsTable& table, std::string_view pattern, bool has_unit) {
  const auto text = table.optional_text("unit", "The unit of the limits: the point's own");
  const auto unit = text ? unit_named(*text) : std::nullopt;
  if (text && !unit) table.reject("unit", "a unit such as \"celsius\", \"percent\" or \"megapascal\"");
  const PointKind* first = nullptr;
  for (const PointKind& kind : point_kinds()) {
    if (!is_pattern_of(pattern, kind)) continue;
    if (!first) first = &kind;
    if (has_unit && unit && *unit != kind.unit) {
      table.reject("unit", fmt::format("\"{}\", the unit of {}", name_of(kind.unit), kind.name));
      return;
    }
  }
  if (first && has_unit && !text)
    table.reject("unit", fmt::format("\"{}\", the unit of {}", name_of(first->unit), first->name));
}

}  // namespace watchroom
