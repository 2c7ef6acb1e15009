// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/model/reading.hpp"
#include "proto/model/unit.hpp"

/// What people and other programs see of the room: plain copies, made under the live state's lock. Every text
/// that came from a device is untrusted UTF-8.
namespace watchroom::aggregator {

struct PointView {
  std::string site, agent, device, name;  ///< id is site/agent/device/name
  std::string device_name, maker, model, resource_class;
  std::string label_zh, label_en;
  Unit unit = Unit::none;
  std::string foreign_unit;         ///< engUnit of a foreign edge node when it is none of ours
  std::optional<Value> value;       ///< only while `has_good_value`
  std::optional<Value> last_value;  ///< what was last seen good, whatever its quality now
  std::optional<Timestamp> last_value_at;
  std::string state_zh, state_en;   ///< text of `value`, or of `last_value` when there is none
  std::string quality = "unknown";  ///< good, clock_unsure (good, but when?), stale, bad, unknown
  std::string quality_reason_zh, quality_reason_en;  ///< why it is not good
  bool is_reported = true;    ///< false: its agent announces it no longer; such points are not counted
  Timestamp taken_at{};       ///< of the newest reading
  std::uint64_t version = 0;  ///< of the live state in which it changed last

  bool has_good_value() const { return quality == "good" || quality == "clock_unsure"; }
  std::string id() const { return site + "/" + agent + "/" + device + "/" + name; }
};

/// ISA-18.2 states that this slice has.
enum class AlarmLifeCycle { normal, unacknowledged, acknowledged, returned_unacknowledged };
std::string_view name_of(AlarmLifeCycle state);
std::optional<AlarmLifeCycle> life_cycle_named(std::string_view name);

struct AlarmView {
  std::int64_t id = 0;
  std::string rule, kind;
  Severity severity = Severity::warning;
  AlarmLifeCycle state = AlarmLifeCycle::normal;
  std::string title_zh, title_en, text_zh, text_en;
  std::string site, agent, device, device_name, point, point_label_zh, point_label_en;
  std::optional<double> value;  ///< when it was raised
  Unit unit = Unit::none;
  std::optional<double> limit;
  Timestamp raised_at{};
  std::optional<Timestamp> cleared_at, acknowledged_at;
  std::string acknowledged_by, comment;
  bool is_active = false;     ///< the condition still holds
  int occurrence = 1;         ///< grows when it comes back before anybody acknowledged it
  std::string mail = "none";  ///< none, waiting, sent, failed
  std::uint64_t version = 0;
};

/// Whether somebody has asked for another class.
enum class ClassRequest {
  none,
  pending,          ///< the agent has been asked, its birth does not show it yet
  not_carried_out,  ///< it has not shown it in time
};
std::string_view name_of(ClassRequest request);

struct DeviceView {
  std::string id, name, maker, model, resource_class;
  std::string class_configured;  ///< as the agent's own settings say; empty: the agent does not tell
  std::string class_wanted;      ///< what was asked for last, while `class_request` is not none
  ClassRequest class_request = ClassRequest::none;
  std::optional<std::chrono::milliseconds> poll_interval;
  bool is_self = false;                   ///< no device: what the agent tells about itself
  std::string communication = "unknown";  ///< a Communication's name, or removed
  std::string communication_text;
  Timestamp since{};
};

struct AgentView {
  std::string site, agent, name, software_version;
  std::string state = "unknown";  ///< online, offline, unknown
  Timestamp since{};
  std::string journal_id;  ///< hex; empty: no journal (a foreign edge node)
  std::uint64_t journal_head = 0, journal_acknowledged = 0, journal_lost = 0, journal_missing = 0;
  std::uint64_t records = 0, duplicates = 0, gaps = 0, rebirths_requested = 0, decode_errors = 0;
  std::vector<DeviceView> devices;
  std::string challenge;  ///< what it told last for orders to answer; empty: nothing
  Steady challenge_at{};  ///< when it came
  std::uint64_t version = 0;
};

struct StatusView {
  Steady published_at{};  ///< each second, unless the core is stuck
  std::string host_id;
  bool broker_connected = false;
  Timestamp broker_since{};
  std::uint64_t agents = 0, agents_online = 0, devices = 0, points = 0, points_good = 0;
  std::uint64_t alarms_open = 0, alarms_unacknowledged = 0;
  std::uint64_t mails_waiting = 0, mails_failed = 0;
  double readings_per_s = 0;                ///< over the last 10 s
  std::uint64_t records = 0, readings = 0;  ///< stored in all
  bool store_is_failing = false;            ///< the disk refuses; alarms go on from memory
  std::uint64_t intake_queue = 0, intake_capacity = 0, intake_refused = 0;
};

struct SampleView {
  Timestamp taken_at{};
  std::optional<Value> value;
  Quality quality = Quality::stale;
  std::uint64_t record = 0;  ///< journal record; 0 without journal
  bool is_clock_unsure = false;
};

}  // namespace watchroom::aggregator
