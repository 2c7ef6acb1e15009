// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <memory>
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

/// What a unit's code makes of a number: °F are °C after × 5/9 and - 17.8.
struct UnitFactor {
  double scale = 1.0;
  double offset = 0.0;
};

/// An object whose code chooses the factor: milli, kilo, °F.
struct FactorObject {
  Oid oid;
  std::map<std::int64_t, UnitFactor> factors;
};

/// Which part of an object is the code: all of it unless one of these is set.
struct CodePart {
  /// Of an integer from its lowest, of BITS from the first octet's highest.
  std::optional<std::uint32_t> bit = {};
  std::optional<std::uint64_t> mask = {};          ///< of an integer, shifted down to 0
  std::optional<std::uint32_t> character = {};     ///< of a text of flags, from 1
  std::map<std::string, std::int64_t> texts = {};  ///< a text that stands for a code
};

/// How a point is set, where it may be.
struct ObjectWrite {
  Oid oid;                                        ///< often another object than the one that tells
  bool is_unsigned = false;                       ///< Gauge32 instead of INTEGER
  std::map<std::int64_t, std::int64_t> contents;  ///< by state; empty: the value itself
};

/// Where a point stands in an SNMP device: a whole instance, or the column of a table. `decimals` and
/// `factor` are instances when they end in .0, else columns of the same table.
struct ObjectSource {
  Oid oid;
  bool is_column = false;
  std::string instance_prefix;  ///< put before the row's index: "L" makes index 2 `input[L2]`
  std::optional<IndexShape> index;
  std::vector<RowCondition> rows;            ///< all must hold
  std::optional<Oid> decimals;               ///< the value is divided by 10^content
  std::optional<FactorObject> factor;        ///< the value is multiplied
  std::shared_ptr<const CodePart> part;      ///< null: all of it; shared by the rows
  std::shared_ptr<const ObjectWrite> write;  ///< null: it is only read
  std::vector<Oid>
      label_columns;  ///< of the same rows: what the device itself calls each; the first that says

  /// The same for one row of the table.
  ObjectSource row(const Oid& index) const;
  /// What stands for `[*]` in that row: index 2 with prefix "L" is "L2", index 1.3 is "1-3".
  std::string instance_of(const Oid& index) const;
};

/// A trap or notification that the maker's MIB names.
struct ProfileTrap {
  Oid oid;  ///< as of SNMPv2: an SNMPv1 trap is enterprise.0.specific (RFC 3584 3.1)
  StateText text;
};

struct SnmpTraits {
  int max_objects = 20;                ///< in one GET
  int max_repetitions = 16;            ///< in one GETBULK
  std::vector<Oid> system_object_ids;  ///< prefixes of sysObjectID that mean this model
  std::vector<Oid> recognised_by;      ///< subtrees in which only this kind of device has objects
  std::string description;             ///< what sysDescr must hold besides
  int priority = 0;                    ///< the highest wins; 0 for standard MIBs, 10 for a maker's own
  std::vector<ProfileTrap> traps;

  /// Null when there is no such trap. Makers write enterprise.0.n or enterprise.n for one.
  const ProfileTrap* trap_named(const Oid& notification) const;
};

/// Which point of a profile stands at an object, with its row's instance in the name.
struct PointAt {
  const ProfilePoint* point;
  std::string name;
};
std::optional<PointAt> point_at(const Profile& profile, const Oid& object);

extern const ProfileGrammar snmp_profiles;

}  // namespace watchroom::agent
