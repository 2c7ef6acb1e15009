// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"
#include "proto/model/reading.hpp"

namespace watchroom {

/// The 16 bytes that tell one journal file from another.
using JournalId = std::array<std::uint8_t, 16>;
std::string to_hex(const JournalId& id);
std::optional<JournalId> journal_id_from_hex(std::string_view hex);

/// Where a DATA payload stands in its agent's journal.
struct JournalStamp {
  JournalId journal_id{};
  std::uint64_t record = 0;            ///< 1, 2, 3 …
  std::uint64_t oldest_available = 0;  ///< records below are acknowledged or lost
  bool operator==(const JournalStamp&) const = default;
};

/// A Sparkplug metric in our terms. Names may be missing where an alias stands for them.
struct Metric {
  std::string name;
  std::optional<std::uint64_t> alias = {};
  std::optional<Timestamp> at = {};
  std::optional<Value> value = {};  ///< absent: is_null, or a type we do not read (`is_unreadable`)
  Quality quality = Quality::good;
  bool is_historical = false;
  bool is_clock_unsure = false;  ///< property "Clock Unsure": the sender does not trust its clock for `at`
  bool is_unreadable = false;    ///< DataSet, Template, Bytes, arrays: noticed, not understood
  /// The wire's datatype where it is an integer's other than ours (Int64): DATA comes without one, and an
  /// Int8 of -1 can then be told from 4294967295 by what the birth said (`read_as`).
  std::optional<std::uint32_t> integer_type = {};
  std::string unit = {};    ///< births only: property "engUnit"
  std::string states = {};  ///< births only: property "states", JSON {"1":{"zh":"…","en":"…"}}
  std::string label = {};   ///< births only: property "label", JSON {"zh":"…","en":"…"}
  std::string alarms = {};  ///< births only: property "alarms", JSON as in proto/model/point_alarm.hpp
  bool operator==(const Metric&) const = default;
};

/// A Sparkplug B payload. What a later Sparkplug changes is hidden behind `encode` and `decode`.
struct Payload {
  std::optional<Timestamp> at = {};
  std::optional<std::uint8_t> seq = {};
  std::vector<Metric> metrics;
  std::optional<JournalStamp> journal = {};

  const Metric* find(std::string_view name) const;
  bool operator==(const Payload&) const = default;
};

enum class WithDatatypes { no, yes };

/// Births carry datatypes, DATA and CMD do not (payloads-metric-datatype-req, -not-req). A metric
/// without a value takes the datatype that its unit implies.
std::string encode(const Payload& payload, WithDatatypes datatypes);

/// Refuses what is not a payload, more than `most_metrics` metrics, or a quality or seq out of range. Accepts
/// UInt32 in either field and sign extension in either width (the traps in the specification).
Result<Payload> decode(std::string_view bytes);

/// Gives an integer that came without datatype the width and sign of the one its birth announced.
void read_as(std::uint32_t integer_type, Metric& metric);

inline constexpr std::size_t most_metrics = 100'000;

/// Metric names that the specification or our wire fixes.
namespace metric_names {
inline constexpr std::string_view bd_seq = "bdSeq";
inline constexpr std::string_view rebirth = "Node Control/Rebirth";
inline constexpr std::string_view journal_ack = "Node Control/Journal Ack";
/// A signed order (proto/trust), in base64.
inline constexpr std::string_view order = "Node Control/Order";
inline constexpr std::string_view journal_id = "Journal/Id";
inline constexpr std::string_view journal_head = "Journal/Head";
inline constexpr std::string_view journal_oldest = "Journal/Oldest";
inline constexpr std::string_view journal_lost = "Journal/Lost";
/// 0 durable, 1 in memory only, 2 the disk does not take what it should.
inline constexpr std::string_view journal_state = "Journal/State";
/// How many damaged journals were moved aside so far.
inline constexpr std::string_view journal_moved_aside = "Journal/Moved Aside";
/// Polls (and messages) that the agent had no room for since it started; they never became records.
inline constexpr std::string_view journal_dropped_polls = "Journal/Dropped Polls";
inline constexpr std::string_view name = "Properties/Name";
inline constexpr std::string_view version = "Properties/Version";
inline constexpr std::string_view heartbeat = "Properties/Heartbeat";
/// A random word, new with each birth and heartbeat, for orders to answer: so they are known to be of now.
inline constexpr std::string_view challenge = "Properties/Challenge";
inline constexpr std::string_view maker = "Properties/Maker";
inline constexpr std::string_view model = "Properties/Model";
inline constexpr std::string_view profile = "Properties/Profile";
inline constexpr std::string_view resource_class = "Properties/Class";
/// What the agent's own settings say; another class has come from the centre.
inline constexpr std::string_view class_configured = "Properties/Class Configured";
/// Milliseconds.
inline constexpr std::string_view poll_interval = "Properties/Poll Interval";
inline constexpr std::string_view max_silence = "Properties/Max Silence";
inline constexpr std::string_view communication_state = "communication.state";
inline constexpr std::string_view communication_text = "communication.text";
inline constexpr std::string_view event_text = "event.text";
inline constexpr std::string_view event_count = "event.count";
}  // namespace metric_names

/// "<journal_id in hex> <host_id> <cumulative> [a-b …]": everything up to `cumulative` is on the host's disk,
/// and so are the ranges above it.
struct JournalAck {
  JournalId journal_id{};
  std::string host_id;
  std::uint64_t cumulative = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges = {};

  std::string str() const;
  static Result<JournalAck> parse(std::string_view text);
  bool operator==(const JournalAck&) const = default;
};

}  // namespace watchroom
