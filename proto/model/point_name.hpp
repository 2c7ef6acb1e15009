// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proto/base/result.hpp"
#include "proto/model/unit.hpp"

namespace watchroom {

/// Whether a room can be watched without it. What alarms are judged by is essential; detail is for analysis
/// and for people who look something up.
enum class Weight { essential, detail };

/// One kind of point of the closed list: its name with empty brackets where an instance belongs
/// ("outlet[].current"), the unit its readings are kept in, and what people call it.
struct PointKind {
  std::string_view name;
  Unit unit;
  std::string_view label_zh;
  std::string_view label_en;
  Weight weight = Weight::essential;
  bool may_be_set = false;  ///< a profile may declare such a point writable

  /// Fire, gas and what releases agent: watched, and never worked by us.
  bool is_fire_protection() const { return name.starts_with("fire[]") || name.starts_with("gas_cylinder[]"); }
};

/// Every kind of point there is (points.cpp). A new kind is a new line there.
std::span<const PointKind> point_kinds();

/// The name of a point: dotted words of the closed list, instances in brackets: `outlet[3].current`,
/// `input[L2].voltage`. Always valid once made. An instance is 1 to 32 of A-Z a-z 0-9 _ -.
class PointName {
 public:
  /// Refuses, with the nearest known name, what is not in the closed list. Where the list has brackets an
  /// instance may be left out ("outlet.current": the only one).
  static Result<PointName> parse(std::string_view text);

  const std::string& str() const { return text_; }
  const PointKind& kind() const { return *kind_; }
  /// "温度", "3 号插座电流": the kind's label with its instances.
  std::string label_zh() const;
  std::string label_en() const;

  bool operator==(const PointName& other) const { return text_ == other.text_; }
  auto operator<=>(const PointName& other) const { return text_ <=> other.text_; }

 private:
  PointName(std::string text, const PointKind& kind) : text_{std::move(text)}, kind_{&kind} {}
  std::string text_;
  const PointKind* kind_;  // into the static list
};

/// "outlet[3].current" -> "outlet[].current"; the text itself where there are no brackets.
std::string without_instances(std::string_view point);

/// True for site, agent and device ids of ours: 1 to 64 of A-Z a-z 0-9 _ -.
bool is_valid_id(std::string_view id);

/// `*` stands for any run of characters; everything else for itself.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace watchroom
