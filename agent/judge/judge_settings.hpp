// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/settings.hpp"
#include "proto/rules/point_condition.hpp"

namespace watchroom::agent {

struct ConfiguredDevice;

/// What is wanted of an output. "On" is what it is there for: the siren sounds, the valve is closed.
enum class Drive { keep, off, on };
std::string_view name_of(Drive drive);

/// What is done about an output that was as wanted and is so no longer.
enum class PutRight { when_on, always, never };

/// An `[[output]]`: a writable point that the agent works by itself.
struct OutputSettings {
  std::string name;
  std::size_t device = 0;  ///< index into the agent's devices
  std::string device_id;
  std::string point;
  std::int64_t on = 1, off = 0;  ///< the point's codes
  Drive at_start = Drive::keep;
  Drive on_agent_death = Drive::keep;
  Drive on_link_loss = Drive::keep;
  std::chrono::milliseconds link_loss{};
  Drive on_inhibit = Drive::off;  ///< never on
  PutRight put_right = PutRight::when_on;
  bool takes_orders = true;

  std::int64_t code_of(Drive drive) const { return drive == Drive::on ? on : off; }
  bool operator==(const OutputSettings&) const = default;
};

/// A rule that is judged here: which points, what of them, for how long.
struct LocalRule {
  std::string device = "*", point;  ///< globs, as in the centre's rules
  PointCondition condition;
  Delays delays;

  bool watches(std::string_view device_id, std::string_view point_name) const;
};

enum class Does { while_raised, until_reset, pulse };

/// A `[[reaction]]`: while its rule is raised, or until somebody resets it, or once, outputs are on.
struct ReactionSettings {
  std::string name;
  LocalRule rule;
  std::vector<std::size_t> outputs;  ///< indices
  Does does = Does::while_raised;
  std::chrono::milliseconds pulse{};
};

/// An `[[inhibit]]`: while its rule is raised reactions switch nothing on.
struct InhibitInput {
  std::string name;
  LocalRule rule;
  std::chrono::milliseconds longest{};  ///< then it counts no more, until it has been off
};

struct JudgeSettings {
  std::vector<OutputSettings> outputs;
  std::vector<ReactionSettings> reactions;
  std::vector<InhibitInput> inhibits;

  bool is_empty() const { return outputs.empty() && inhibits.empty(); }
  /// The tables `[[output]]`, `[[reaction]]` and `[[inhibit]]` of agent.toml.
  static JudgeSettings read(const SettingsTable& table, const std::vector<ConfiguredDevice>& devices);
};

}  // namespace watchroom::agent
