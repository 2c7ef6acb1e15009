// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Which points of a profile may be written at all, whatever the bus.
#include <algorithm>
#include <array>
#include <cctype>

#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {
namespace {

/// Words by which a relay or an outlet tells that it is wired to extinguishing.
bool speaks_of_extinguishing(std::string text) {
  static constexpr std::array<std::string_view, 11> words{
      "灭火", "喷放", "喷洒", "气瓶", "消防", "七氟丙烷", "extinguish", "fire", "agent", "gas", "release"};
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(words,
                             [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

bool speaks_of_extinguishing(const ProfilePoint& point, const PointTraits& traits) {
  std::string all = point.name;
  if (traits.label) all += traits.label->zh + traits.label->en;
  for (const auto& [code, text] : traits.states) all += text.zh + text.en;
  return speaks_of_extinguishing(std::move(all));
}

std::string settable_kinds() {
  std::string names;
  for (const PointKind& kind : point_kinds())
    if (kind.may_be_set) names += (names.empty() ? "" : ", ") + std::string{kind.name};
  return names;
}

}  // namespace

bool is_called_after_release(std::string_view text) {
  static constexpr std::array<std::string_view, 6> words{"灭火",     "喷放",       "喷洒",
                                                         "七氟丙烷", "extinguish", "fm200"};
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(words,
                             [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool read_writable(const SettingsTable& table, const ProfilePoint& point, const PointTraits& traits,
                   const PointKind* kind) {
  const bool is_wanted =
      table.flag("writable", false, "it may be set; only with kinds that are switches or set points");
  if (!is_wanted || !kind) return false;  // a name that is not known is refused already
  const auto refuse = [&](std::string_view words) {
    table.complain("writable", words);
    return false;
  };
  if (kind->is_fire_protection() || speaks_of_extinguishing(point, traits)) return refuse(never_released);
  if (!kind->may_be_set)
    return refuse(fmt::format("{} is only read; points of these kinds may be written: {}", kind->name,
                              settable_kinds()));
  const Conversion& conversion = point.source.conversion;
  if (conversion.unit != Unit::state && (!conversion.least_plausible || !conversion.most_plausible))
    return refuse("a number that may be written needs `plausible = { min = …, max = … }`");
  return true;
}

}  // namespace watchroom::agent
