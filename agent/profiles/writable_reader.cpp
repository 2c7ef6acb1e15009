// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Which points of a profile may be written at all, whatever the bus.
#include <string>
#include <vector>

#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {
namespace {

/// By which of its texts a point tells that it is wired to extinguishing; empty: by none.
std::string release_told_by(const ProfilePoint& point, const PointTraits& traits) {
  std::vector<std::string> texts{point.name};
  if (traits.label) texts.insert(texts.end(), {traits.label->zh, traits.label->en});
  for (const auto& [code, text] : traits.states) texts.insert(texts.end(), {text.zh, text.en});
  for (const std::string& text : texts)
    if (std::string told = told_of_release(text, SaidOf::what_is_set); !told.empty()) return told;
  return "";
}

std::string settable_kinds() {
  std::string names;
  for (const PointKind& kind : point_kinds())
    if (kind.may_be_set) names += (names.empty() ? "" : ", ") + std::string{kind.name};
  return names;
}

}  // namespace

std::string told_of_release(std::string_view text, SaidOf of) {
  const auto word = word_of_release(text, of);
  return word ? fmt::format("\"{}\" tells of \"{}\". {}", text, *word, never_released) : "";
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
  if (kind->is_fire_protection()) return refuse(never_released);
  if (const std::string told = release_told_by(point, traits); !told.empty()) return refuse(told);
  if (!kind->may_be_set)
    return refuse(fmt::format("{} is only read; points of these kinds may be written: {}", kind->name,
                              settable_kinds()));
  const Conversion& conversion = point.source.conversion;
  if (conversion.unit != Unit::state && (!conversion.least_plausible || !conversion.most_plausible))
    return refuse("a number that may be written needs `plausible = { min = …, max = … }`");
  return true;
}

}  // namespace watchroom::agent
