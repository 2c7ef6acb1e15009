// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/polling/shared_list.hpp"
#include "proto/model/point_alarm.hpp"
#include "proto/model/point_name.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::agent {

/// Text of one state of an enumeration.
struct StateText {
  std::string zh;
  std::string en;
  bool operator==(const StateText&) const = default;
};

/// What a point of a profile is like; every device of that profile shares it.
struct PointTraits {
  Unit unit = Unit::none;                         ///< the kind's unit
  double deadband = 0.0;                          ///< a change below this is not worth a report; in `unit`
  std::map<std::int64_t, StateText> states = {};  ///< empty unless unit is state
  std::optional<StateText> label = std::nullopt;  ///< where the kind's own label does not say it all
  std::vector<PointAlarm> alarms = {};            ///< what the centre is to tell people of by default
  bool is_writable = false;                       ///< a switch or set point that may be set
  bool operator==(const PointTraits&) const = default;
};

/// One point of one device: what the edge node announces in a birth and the reporter needs to judge a change.
struct PointDescription {
  PointDescription(PointName point, std::shared_ptr<const PointTraits> of_profile, std::string of_row = {})
      : name{std::move(point)}, traits{std::move(of_profile)}, row{std::move(of_row)} {}

  PointName name;
  std::shared_ptr<const PointTraits> traits;  ///< never null
  std::string row;                            ///< which row of a table it is, for people; empty: none

  Unit unit() const { return traits->unit; }
  /// What people call it; nothing: as its kind. `called`: what the device itself calls the row.
  std::optional<StateText> label(const std::string& called = {}) const;
  bool operator==(const PointDescription& other) const;
};

enum class ResourceClass { core, key, general };  // 核心, 关键, 一般
std::string_view name_of(ResourceClass resource_class);
std::optional<ResourceClass> resource_class_named(std::string_view name);

/// A device as configured, with its profile's points. The order of `points` is the order of
/// PollResult::readings.
struct DeviceDescription {
  std::string id;
  std::string name;  ///< for people; UTF-8
  std::string maker;
  std::string model;
  std::string profile;
  ResourceClass resource_class = ResourceClass::general;
  ResourceClass configured_class = ResourceClass::general;  ///< the centre may have put it into another
  std::chrono::milliseconds poll_interval{};
  std::chrono::milliseconds max_silence{};  ///< at most 60 s
  SharedList<PointDescription> points;
  SharedList<std::string> called;  ///< by point, what the device itself calls its row; none at all: nothing
  bool has_fixed_class = false;    ///< the centre cannot put it into another
  bool tells_events = false;       ///< it can tell of events itself, such as SNMP traps, and we listen
  bool operator==(const DeviceDescription&) const = default;
};

/// An agent's devices; results name them by their place in it.
using DeviceList = std::vector<std::shared_ptr<const DeviceDescription>>;
DeviceList listed(std::vector<DeviceDescription> devices);

/// What one round of questions to one device brought: one reading a point, in the profile's order. A device
/// that does not answer gives every point quality stale and no value; a point that answers nonsense is bad.
struct PollResult {
  std::size_t device = 0;  ///< index into the agent's devices
  Communication communication = Communication::unknown;
  std::string communication_text;  ///< a sentence for people, English; empty when ok
  Timestamp polled_at{};
  std::vector<Reading> readings;
  /// Set when the device was found to have other points than before: `readings` are in its order, and so are
  /// those of the results that follow.
  std::shared_ptr<const DeviceDescription> description = nullptr;
};

}  // namespace watchroom::agent
