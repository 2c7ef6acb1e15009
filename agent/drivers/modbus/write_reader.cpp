// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Which points of a profile may be written, and how.
#include "agent/drivers/modbus/register_source.hpp"

namespace watchroom::agent {
namespace {

constexpr std::int64_t last_content = 65535;

/// Whether what stands in this place may be written at all.
bool check_place(const SettingsTable& table, const ProfilePoint& point) {
  const auto refuse = [&](std::string_view words) {
    table.complain("writable", words);
    return false;
  };
  const auto& source = point.source.where.as<RegisterSource>();
  if (source.table != RegisterTable::coil && source.table != RegisterTable::holding)
    return refuse("only what stands in the tables coil and holding can be written");
  if (source.mask) return refuse("a register is written whole, so a part of one cannot be writable");
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
  const bool is_writable = read_writable(table, point, traits, kind);
  const auto how = table.optional_table("write");
  if (how && !table.flag("writable", false, ""))
    table.reject("write", "no such key without `writable = true`");
  if (!is_writable || !check_place(table, point)) return std::nullopt;
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
