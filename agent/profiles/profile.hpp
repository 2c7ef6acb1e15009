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
#include <vector>

#include "agent/drivers/driver_part.hpp"
#include "agent/polling/poll_result.hpp"
#include "proto/base/settings.hpp"
#include "proto/model/unit.hpp"

namespace watchroom::agent {

/// How what was read becomes the point's value.
struct Conversion {
  Unit unit = Unit::none;
  double scale = 1.0;
  double offset = 0.0;
  std::vector<std::int64_t> invalid;  ///< raw values that mean "no value"
  std::optional<double> least_plausible;
  std::optional<double> most_plausible;
};

/// The numbers that tell a row of a table from the others; an SNMP index.
using RowIndex = std::vector<std::uint32_t>;

/// One readable point of one device.
struct PointSource {
  DriverPart where;
  Conversion conversion;
};

/// A `[[point]]`. Its name holds `[*]` when it stands for every row of a table.
struct ProfilePoint {
  std::string name;
  std::string
      key;  ///< tells it apart within its profile: the name, with "#2" where that stands a second time
  bool is_optional = false;     ///< not every device of this model has it; absent is no fault
  bool is_writable = false;     ///< `Bus::write` may set it
  bool comes_and_goes = false;  ///< its rows do, and one that is gone for long is no loss to tell of
  std::shared_ptr<const PointTraits> traits;
  PointSource source;
  int line = 0;

  bool is_table() const { return name.find("[*]") != std::string::npos; }
  /// Row of a table, or an optional point: known only once the device has answered.
  bool must_be_discovered() const { return is_table() || is_optional; }
  /// With `instance` in the place of each `[*]`.
  std::string name_of_row(const std::string& instance) const;
};

/// A recorded answer and what it must decode to; played by profiles_test, served by simulators.
struct ProfileSample {
  int line = 0;
  std::string origin;
  DriverPart answer;
  std::map<std::string, std::string> expect;  ///< point -> value
};

/// A kind of device as a table. Immutable once loaded.
struct Profile {
  std::string name;  ///< file name without .toml
  std::string maker;
  std::string model;
  std::string bus;  ///< the driver's folder: "modbus", "snmp"
  std::string source;
  std::string confidence;
  std::chrono::milliseconds reply_timeout{1000};
  std::chrono::milliseconds gap{0};  ///< pause between two requests to it
  DriverPart traits;                 ///< how to speak to it and how to recognise it
  std::vector<ProfilePoint> points;
  std::vector<ProfileSample> samples;
  /// Why its device is one of fire or gas protection, of which nothing may be set; empty: it is not.
  std::string protection;

  bool has_writable() const;
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
  RowIndex index;             ///< below the column; empty: no row
  std::string label = {};     ///< what the device calls the row; empty: nothing
  auto operator<=>(const FoundPoint&) const = default;
};

/// Which of its points a device is asked for.
enum class PointChoice { all, essential };

/// The points every device of the profile has, plus those `found` in this one. Of two with one name the first
/// counts. A profile that has nothing essential gives all.
DevicePoints points_of(const Profile& profile, const std::vector<FoundPoint>& found,
                       PointChoice choice = PointChoice::all);

/// One that reads what both do; `more` only what `first` does not have. Whoever combines checks that nothing
/// can be set where either is of fire protection.
Profile combined(const Profile& first, const Profile& more);

/// The names (without .toml) in a folder, sorted.
std::vector<std::string> profile_names(const std::filesystem::path& folder);
/// share/watchroom/profiles beside the program's own folder.
std::filesystem::path installed_profiles_folder();

}  // namespace watchroom::agent
