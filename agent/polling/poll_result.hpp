// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proto/model/point_name.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::agent {

/// Text of one state of an enumeration.
struct StateText {
  std::string zh;
  std::string en;
};

/// What a point is, from its profile: what the edge node announces in a birth and the reporter needs to judge
/// a change.
struct PointDescription {
  PointName name;
  Unit unit;                                      ///< the kind's unit
  double deadband = 0.0;                          ///< a change below this is not worth a report; in `unit`
  std::map<std::int64_t, StateText> states;       ///< empty unless unit is state
  std::optional<StateText> label = std::nullopt;  ///< where the kind's own label does not say it all
};

enum class ResourceClass { core, key, general };  // 核心, 关键, 一般
std::string_view name_of(ResourceClass resource_class);

/// A device as configured, with its profile's points. The order of `points` is the order of
/// PollResult::readings.
struct DeviceDescription {
  std::string id;
  std::string name;  ///< for people; UTF-8
  std::string maker;
  std::string model;
  std::string profile;
  ResourceClass resource_class = ResourceClass::general;
  std::chrono::milliseconds poll_interval{};
  std::chrono::milliseconds max_silence{};  ///< at most 60 s
  std::vector<PointDescription> points;
};

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
