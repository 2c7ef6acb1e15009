// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/clock/agent_clock.hpp"
#include "agent/orders/configuration_keeper.hpp"
#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {

/// The settings in force: agent.toml, with what the centre gave in the place of its devices, classes and
/// traps. A given configuration is checked as agent.toml is, put on disk, tried out, and kept once the centre
/// has been heard with it. One thread but for `report`. `clock` must outlive it.
class CentralConfiguration {
 public:
  CentralConfiguration(std::filesystem::path file, const AgentSettings& local, const AgentClock& clock,
                       const Log& log);

  /// At the program's start: what to run with instead of agent.toml alone.
  std::optional<AgentSettings> begin();
  /// agent.toml was changed: the settings anew, or what is wrong with them.
  std::optional<AgentSettings> read_anew(Problems& problems) const;
  /// Of an order that was found to be good. Settings that are returned are in force from now on.
  std::optional<AgentSettings> follow(GivenConfiguration given);
  /// To be called every second while `is_on_trial`; `heard_at`: when a host acknowledged last.
  std::optional<AgentSettings> look(std::optional<Steady> heard_at);

  /// What people are to know since the last call, each a sentence or a list of problems.
  std::vector<std::string> take_told() { return std::exchange(told_, {}); }
  bool is_on_trial() const { return keeper_.is_on_trial(); }
  ConfigurationReport report() const { return keeper_.report(); }

 private:
  std::optional<AgentSettings> load(const std::optional<GivenConfiguration>& given, Problems& problems) const;
  std::optional<AgentSettings> fall_back(const std::string& why);

  const std::filesystem::path file_;
  const AgentClock& clock_;
  const Log log_;
  std::vector<std::string> told_;
  ConfigurationKeeper keeper_;
  Steady tried_out_at_{};
};

/// What an agent with this agent.toml runs with, for who only looks.
std::optional<AgentSettings> load_in_force(const std::filesystem::path& file, Problems& problems);

}  // namespace watchroom::agent
