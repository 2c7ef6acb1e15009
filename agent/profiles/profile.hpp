// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/polling/poll_result.hpp"
#include "proto/base/settings.hpp"
#include "proto/model/unit.hpp"

namespace watchroom::agent {

enum class RegisterTable { coil, discrete, input, holding };
enum class RegisterType { bit, u16, i16, u32, i32, u64, i64, f32, f64, bcd16, bcd32 };
/// The order in which the bytes A (highest) to D of a value arrive: abcd is big-endian, cdab has its words
/// swapped, badc the bytes of each word, dcba is little-endian.
enum class ByteOrder { abcd, cdab, badc, dcba };

/// Registers, or bits, that one type takes.
int width_of(RegisterType type);

/// A neighbouring register whose code chooses the factor: metres or feet, bar or kPa.
struct FactorRegister {
  std::uint16_t address = 0;
  std::map<std::int64_t, double> factors;
};

/// Where a point stands in a Modbus device. Addresses are those on the wire, from 0.
struct RegisterSource {
  RegisterTable table = RegisterTable::holding;
  std::uint16_t address = 0;
  RegisterType type = RegisterType::u16;
  ByteOrder order = ByteOrder::abcd;
  std::optional<std::uint64_t> mask;               ///< some bits of the word, shifted down to 0
  std::optional<std::uint16_t> decimals_register;  ///< same table; the value is divided by 10^content
  std::optional<FactorRegister> factor_register;   ///< same table
};

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
  std::optional<std::uint32_t>
      bit;  ///< of an integer from its lowest, of BITS from the first octet's highest
  std::optional<std::uint64_t> mask = {};          ///< of an integer, shifted down to 0
  std::optional<std::uint32_t> character = {};     ///< of a text of flags, from 1
  std::map<std::string, std::int64_t> texts = {};  ///< a text that stands for a code
};

/// Where a point stands in an SNMP device: a whole instance, or the column of a table. `decimals` and
/// `factor` are instances when they end in .0, else columns of the same table.
struct ObjectSource {
  Oid oid;
  bool is_column = false;
  std::string instance_prefix;  ///< put before the row's index: "L" makes index 2 `input[L2]`
  std::optional<IndexShape> index;
  std::vector<RowCondition> rows;        ///< all must hold
  std::optional<Oid> decimals;           ///< the value is divided by 10^content
  std::optional<FactorObject> factor;    ///< the value is multiplied
  std::shared_ptr<const CodePart> part;  ///< null: all of it; shared by the rows
  std::vector<Oid>
      label_columns;  ///< of the same rows: what the device itself calls each; the first that says

  /// The same for one row of the table.
  ObjectSource row(const Oid& index) const;
};

/// How what was read becomes the point's value.
struct Conversion {
  Unit unit = Unit::none;
  double scale = 1.0;
  double offset = 0.0;
  std::vector<std::int64_t> invalid;  ///< raw values that mean "no value"
  std::optional<double> least_plausible;
  std::optional<double> most_plausible;
};

/// One readable point of one device.
struct PointSource {
  std::variant<RegisterSource, ObjectSource> where;
  Conversion conversion;
};

/// A `[[point]]`. Its name holds `[*]` when it stands for every row of a table.
struct ProfilePoint {
  std::string name;
  std::string
      key;  ///< tells it apart within its profile: the name, with "#2" where that stands a second time
  bool is_optional = false;  ///< not every device of this model has it; absent is no fault
  std::shared_ptr<const PointTraits> traits;
  PointSource source;
  int line = 0;

  bool is_table() const;
  /// Row of a table, or an optional point: known only once the device has answered.
  bool must_be_discovered() const { return is_table() || is_optional; }
};

/// A trap or notification that the maker's MIB names.
struct ProfileTrap {
  Oid oid;  ///< as of SNMPv2: an SNMPv1 trap is enterprise.0.specific (RFC 3584 3.1)
  StateText text;
};

struct SnmpTraits {
  std::chrono::milliseconds reply_timeout{1000};
  int max_objects = 20;                ///< in one GET
  int max_repetitions = 16;            ///< in one GETBULK
  std::vector<Oid> system_object_ids;  ///< prefixes of sysObjectID that mean this model
  std::vector<Oid> recognised_by;      ///< subtrees in which only this kind of device has objects
  std::string description;             ///< what sysDescr must hold besides
  int priority = 0;                    ///< the highest wins; 0 for standard MIBs, 10 for a maker's own
};

/// A register by which a model is recognised: it holds one of `values`, or a value from `least` to `most`.
struct RegisterProbe {
  RegisterSource source;
  std::vector<std::int64_t> values;
  std::optional<double> least;
  std::optional<double> most;
};

struct ModbusTraits {
  std::chrono::milliseconds gap{0};  ///< pause between two requests to it
  std::chrono::milliseconds reply_timeout{1000};
  int max_registers = 125;
  int max_bits = 2000;
  int largest_hole = 16;              ///< unused registers worth reading to save a request
  std::vector<std::string> identity;  ///< texts; its identification (function 43) holds one of them
  std::vector<RegisterProbe> probes;  ///< all must hold
};

/// A recorded answer and what it must decode to; played by profiles_test, served by simulators.
struct ProfileSample {
  int line = 0;
  std::string origin;
  std::vector<std::uint8_t> reply;              ///< Modbus RTU frame with CRC
  std::optional<std::uint16_t> address;         ///< of the first register in `reply`
  std::map<std::string, std::string> varbinds;  ///< numeric OID -> value
  std::map<std::string, std::string> expect;    ///< point -> value
};

/// A kind of device as a table. Immutable once loaded.
struct Profile {
  std::string name;  ///< file name without .toml
  std::string maker;
  std::string model;
  std::string bus;  ///< the driver's folder: "modbus", "snmp"
  std::string source;
  std::string confidence;
  ModbusTraits modbus;
  SnmpTraits snmp;
  std::vector<ProfilePoint> points;
  std::vector<ProfileTrap> traps;
  std::vector<ProfileSample> samples;

  /// Which point stands at an SNMP object, with its row's instance in the name.
  struct PointAt {
    const ProfilePoint* point;
    std::string name;
  };
  std::optional<PointAt> point_at(const Oid& object) const;
  /// Null when it names no such trap. Makers write enterprise.0.n or enterprise.n for one.
  const ProfileTrap* trap_named(const Oid& notification) const;

  /// Nothing when anything in the file is wrong; each wrong thing is in `problems`.
  static std::optional<Profile> load(const std::filesystem::path& file, Problems& problems);
  static std::optional<Profile> parse(std::string_view text, const std::string& file, Problems& problems);
};

/// What the device announces and where each point is read, in one order.
struct DevicePoints {
  SharedList<PointDescription> descriptions;
  SharedList<PointSource> sources;
  SharedList<std::string> called;  ///< what the device itself calls each point's row; none at all: nothing
};

/// Optional points and table rows that a device was found to have.
struct FoundPoint {
  std::string profile_point;  ///< its key
  Oid index;                  ///< below the column; empty: no row
  std::string label = {};     ///< what the device calls the row; empty: nothing
  auto operator<=>(const FoundPoint&) const = default;
};

/// Which of its points a device is asked for.
enum class PointChoice { all, essential };

/// The points every device of the profile has, plus those `found` in this one. Of two with one name the first
/// counts. A profile that has nothing essential gives all.
DevicePoints points_of(const Profile& profile, const std::vector<FoundPoint>& found,
                       PointChoice choice = PointChoice::all);

/// One that reads what both do; `more` only what `first` does not have.
Profile combined(const Profile& first, const Profile& more);

/// The names (without .toml) in a folder, sorted.
std::vector<std::string> profile_names(const std::filesystem::path& folder);
/// share/watchroom/profiles beside the program's own folder.
std::filesystem::path installed_profiles_folder();

}  // namespace watchroom::agent
