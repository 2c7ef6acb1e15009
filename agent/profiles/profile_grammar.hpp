// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/profiles/profile.hpp"
#include "agent/profiles/release_words.hpp"
#include "proto/base/result.hpp"
#include "proto/base/settings.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::agent {

/// One row of a table.
struct TableRow {
  std::string instance;  ///< what `[*]` becomes: "L2", "1-3"
  DriverPart where;
};

using NamedReadings = std::vector<std::pair<std::string, Reading>>;

/// What a driver's profiles say beyond what all say. Each function adds what is wrong to its table's
/// problems.
struct ProfileGrammar {
  /// `table` is the profile's table of the driver's name, empty when it has none; `finish()` it. Sets
  /// `traits`, `reply_timeout` and `gap`.
  void (*read_traits)(const SettingsTable& table, Profile& profile);
  /// `table` is the [[point]]; sets `source`. Name and unit are read already.
  void (*read_source)(const SettingsTable& table, ProfilePoint& point);
  /// `table` is the [[sample]].
  DriverPart (*read_answer)(const SettingsTable& table);
  /// What the points of a device read that gives a sample's answer.
  Result<NamedReadings> (*play)(const Profile& profile, const DriverPart& answer);
  /// What a person looks for in the maker's document: "input 4", "1.3.6.1.2.1.33.1.2.1.0".
  std::string (*source_text)(const DriverPart& where);

  /// Reads what else stands in the profile's own table, after `read_traits`. Null: nothing does.
  void (*read_more)(const SettingsTable& profile_table, Profile& profile) = nullptr;
  /// The traits of a device that two profiles read. Null: those of the first.
  DriverPart (*traits_of_both)(const DriverPart& first, const DriverPart& more) = nullptr;
  /// What else a [[point]] may say, once all that is common is read; `kind` is null when its name is not
  /// known. Null: nothing.
  void (*read_rest_of_point)(const SettingsTable& table, const Profile& profile, ProfilePoint& point,
                             const PointTraits& traits, const PointKind* kind) = nullptr;

  /// Null: the driver knows no tables.
  TableRow (*row)(const DriverPart& column, const RowIndex& index) = nullptr;
  /// Whether two points may have one name, being columns that never make one instance. Null: never.
  bool (*are_told_apart)(const DriverPart& first, const DriverPart& second) = nullptr;
  std::string_view told_apart_by = {};  ///< the keys in which they must differ, for people
};

constexpr std::string_view never_released =
    "Watchroom never releases extinguishing agent: a device of fire or gas protection is only read";

std::optional<std::int64_t> integer_of(std::string_view text);
StateText read_texts(const SettingsTable& table);
/// `point` is the [[point]], with all but its alarms in `traits`.
std::vector<PointAlarm> read_alarms(const SettingsTable& point, const PointTraits& traits);
/// What to complain of in something that is called so, or reads so; empty: nothing.
std::string told_of_release(std::string_view text, SaidOf of);
/// `writable` of a [[point]], with all but its alarms in `traits`: whether it may be set. Never what is only
/// read by its kind, and never what may release extinguishing agent.
bool read_writable(const SettingsTable& point_table, const ProfilePoint& point, const PointTraits& traits,
                   const PointKind* kind);
/// A table of code = factor.
std::map<std::int64_t, double> read_codes(const SettingsTable& table);
/// scale, offset, invalid.
void read_conversion(const SettingsTable& table, Conversion& conversion);
/// reply_timeout_ms of a driver's traits.
std::chrono::milliseconds read_reply_timeout(const SettingsTable& traits);

}  // namespace watchroom::agent
