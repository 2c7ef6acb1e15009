// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {

using Oid = std::vector<std::uint32_t>;
std::optional<Oid> parse_oid(std::string_view text);
std::string oid_text(const Oid& oid);

/// Which indices of a table are meant. The arcs that may be any name the instance; the others are left out.
struct IndexShape {
  std::vector<std::optional<std::uint32_t>> arcs;  ///< nothing: any
  bool takes_rest = false;                         ///< more arcs may follow, else the index ends here

  /// As it is written: "*.*.4".
  std::string text() const;
  bool fits(const Oid& index) const;
  /// The arcs of an index that fits which tell its instance.
  Oid instance(const Oid& index) const;
};

/// Rows in which another column holds one of some values.
struct RowCondition {
  Oid column;
  std::vector<std::int64_t> values;
  std::vector<std::string> texts;
};

/// An object whose code chooses the factor: milli, kilo.
struct FactorObject {
  Oid oid;
  std::map<std::int64_t, double> factors;
};

/// Where a point stands in an SNMP device: a whole instance, or the column of a table. `decimals` and
/// `factor` are instances when they end in .0, else columns of the same table.
struct ObjectSource {
  Oid oid;
  bool is_column = false;
  std::string instance_prefix;  ///< put before the row's index: "L" makes index 2 `input[L2]`
  std::optional<IndexShape> index;
  std::vector<RowCondition> rows;      ///< all must hold
  std::optional<Oid> decimals;         ///< the value is divided by 10^content
  std::optional<FactorObject> factor;  ///< the value is multiplied

  /// The same for one row of the table.
  ObjectSource row(const Oid& index) const;
  /// What stands for `[*]` in that row: index 2 with prefix "L" is "L2", index 1.3 is "1-3".
  std::string instance_of(const Oid& index) const;
};

struct SnmpTraits {
  int max_objects = 20;                ///< in one GET
  int max_repetitions = 16;            ///< in one GETBULK
  std::vector<Oid> system_object_ids;  ///< prefixes of sysObjectID that mean this model
  std::vector<Oid> recognised_by;      ///< subtrees in which only this kind of device has objects
  std::string description;             ///< what sysDescr must hold besides
  int priority = 0;                    ///< the highest wins; 0 for standard MIBs, 10 for a maker's own
};

extern const ProfileGrammar snmp_profiles;

}  // namespace watchroom::agent
