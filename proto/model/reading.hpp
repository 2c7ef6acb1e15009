// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proto/base/clock.hpp"

namespace watchroom {

/// Whether a value may be believed. Carried as the Sparkplug property "Quality"
/// (payloads-propertyset-quality-value).
enum class Quality {
  good,
  stale,  ///< no fresh value can be had: the sensor, its bus or its agent is silent
  bad,    ///< an answer came, but its content is marked invalid or cannot be plausible
};

std::string_view name_of(Quality quality);
std::optional<Quality> quality_named(std::string_view name);

/// bool: foreign edge nodes only (our states are codes); int64: states and counts; double: measured values.
using Value = std::variant<double, std::int64_t, bool, std::string>;

/// As a number where it is one: booleans are 0 and 1, texts are not.
std::optional<double> number_of(const Value& value);
/// For people and logs: "23.1", "wet".
std::string to_text(const Value& value);

/// One value of one point. `value` is absent unless the quality is good.
struct Reading {
  std::optional<Value> value;
  Quality quality = Quality::stale;
  Timestamp taken_at{};
  bool is_clock_unsure = false;  ///< the value stands, but whoever read it did not trust its clock

  bool operator==(const Reading&) const = default;
};

/// X.733 perceived severity; in Chinese 紧急, 重要, 次要, 提示.
enum class Severity { critical, major, minor, warning };

std::string_view name_of(Severity severity);
std::string_view chinese_name_of(Severity severity);
std::optional<Severity> severity_named(std::string_view name);

/// How a device answers, as the journaled point `communication.state`; the numbers are on the wire.
enum class Communication {
  ok = 0,
  no_answer = 1,
  refused = 2,
  not_authorized = 3,
  corrupt = 4,
  not_connected = 5,
  unknown = 6,  ///< not asked yet
};

std::string_view name_of(Communication state);
std::optional<Communication> communication_from(std::int64_t code);

}  // namespace watchroom
