// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Which points of a profile may be written, and how.
#include <algorithm>
#include <array>
#include <cctype>

#include "agent/drivers/modbus/register_source.hpp"

namespace watchroom::agent {
namespace {

constexpr std::int64_t last_content = 65535;

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

/// Whether a point of this kind, in this place, may be written at all.
bool check_place(const SettingsTable& table, const ProfilePoint& point, const PointTraits& traits,
                 const PointKind* kind) {
  const auto refuse = [&](std::string_view words) {
    table.complain("writable", words);
    return false;
  };
  if (!kind) return false;  // its name is refused already
  if (kind->is_fire_protection() || speaks_of_extinguishing(point, traits)) return refuse(never_released);
  if (!kind->may_be_set)
    return refuse(fmt::format("{} is only read; points of these kinds may be written: {}", kind->name,
                              settable_kinds()));
  const auto& source = point.source.where.as<RegisterSource>();
  if (source.table != RegisterTable::coil && source.table != RegisterTable::holding)
    return refuse("only what stands in the tables coil and holding can be written");
  if (source.mask) return refuse("a register is written whole, so a part of one cannot be writable");
  const Conversion& conversion = point.source.conversion;
  if (conversion.unit != Unit::state && (!conversion.least_plausible || !conversion.most_plausible))
    return refuse("a number that may be written needs `plausible = { min = …, max = … }`");
  return true;
}

/// `on` and `off`: where switching takes other contents than the state has when it is read.
void read_switch(const SettingsTable& how, const RegisterSource& source, const PointTraits& traits,
                 RegisterWrite& write) {
  for (const auto& [key, state] : {std::pair<std::string_view, std::int64_t>{"on", 1}, {"off", 0}}) {
    const auto content = how.optional_integer(
        key, {.help = "what is written for state 1 or 0, where it is not read so", .most = last_content});
    if (!content) continue;
    if (!traits.states.contains(state) || source.width() != 1)
      how.reject(key, "no such key unless the point is one register with the states 0 and 1");
    write.contents[state] = *content;
  }
}

}  // namespace

std::optional<RegisterWrite> read_write(const SettingsTable& table, const ProfilePoint& point,
                                        const PointTraits& traits, const PointKind* kind) {
  const bool is_writable =
      table.flag("writable", false, "it may be set; only with kinds that are switches or set points");
  const auto how = table.optional_table("write");
  if (how && !is_writable) table.reject("write", "no such key without `writable = true`");
  const bool may_be_written = is_writable && check_place(table, point, traits, kind);
  if (!may_be_written) return std::nullopt;
  const auto& source = point.source.where.as<RegisterSource>();
  RegisterWrite write;
  write.is_multiple = source.width() > 1;
  for (const auto& [code, text] : traits.states) write.contents[code] = code;
  if (how) {
    write.is_multiple =
        how->choice<bool>("function", {{"single", false}, {"multiple", true}}, write.is_multiple,
                          "single: 5 or 6, one at a time; multiple: 15 or 16");
    if (!write.is_multiple && source.width() > 1)
      how->reject("function", "\"multiple\" for a value of several registers");
    read_switch(*how, source, traits, write);
    how->finish();
  }
  return write;
}

}  // namespace watchroom::agent
