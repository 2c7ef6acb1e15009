// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// A configuration that the centre gave: what agent.toml says of devices, classes and traps, said elsewhere.
struct GivenConfiguration {
  std::uint64_t number = 0;  ///< of the order
  std::string text;          ///< TOML

  bool operator==(const GivenConfiguration&) const = default;
};

/// The numbers are on the wire: `configuration.state` of device self.
enum class ConfigurationState : std::int64_t {
  local = 0,        ///< as agent.toml says
  good = 1,         ///< the centre's, proved
  on_trial = 2,     ///< the centre's, until it has proved itself
  refused = 3,      ///< what was given last is not followed; what ran before goes on
  fallen_back = 4,  ///< what was given last did not prove itself; the one before runs again
};

struct ConfigurationReport {
  ConfigurationState state = ConfigurationState::local;
  std::uint64_t running = 0;  ///< number of the one in force; 0: agent.toml
  std::uint64_t given = 0;    ///< of the one that was given last
};

/// Keeps what the centre gave, and the last one that was good. A new one is on trial until the centre has
/// been heard with it; one that is begun three times without that, or is not proved in time, is given up for
/// the one before. On disk before it is in force. `report` from any thread, the rest from one.
class ConfigurationKeeper {
 public:
  static constexpr int most_starts = 3;

  ConfigurationKeeper(std::filesystem::path folder, Log log, std::chrono::milliseconds longest_trial);

  /// What an agent with this folder runs with, for who only looks.
  static std::optional<GivenConfiguration> in_force(const std::filesystem::path& folder);

  /// What was in force when the program ended last; 0: agent.toml alone.
  std::uint64_t last_in_force() const { return kept_.trial != 0 ? kept_.trial : kept_.good; }
  /// At the start of the program: what to run with; nothing: agent.toml alone.
  std::optional<GivenConfiguration> begin(Steady now);
  /// What is in force.
  const std::optional<GivenConfiguration>& running() const { return running_; }
  /// Puts it on disk; from now on it is in force, on trial.
  Result<void> try_out(GivenConfiguration given, Steady now);
  /// What was given last cannot be followed.
  void refuse(std::uint64_t number);
  /// The one in force is of no use: what to run with instead. After one on trial that is the last good one,
  /// after that one agent.toml alone (nothing).
  std::optional<GivenConfiguration> fall_back();

  std::chrono::milliseconds longest_trial() const { return longest_trial_; }
  bool is_on_trial() const { return trial_ends_.has_value(); }
  bool trial_is_over(Steady now) const { return trial_ends_ && now >= *trial_ends_; }
  /// The centre was heard with the one on trial: it is good.
  void prove();

  ConfigurationReport report() const;

 private:
  struct Kept {  // state.json
    std::uint64_t good = 0, trial = 0, given = 0;
    int starts = 0;
    ConfigurationState state = ConfigurationState::local;
  };
  Result<void> keep();
  std::optional<GivenConfiguration> read(std::uint64_t number) const;
  std::filesystem::path file_of(std::uint64_t number) const;
  void remove_others() const;
  void note();

  const std::filesystem::path folder_;
  const Log log_;
  const std::chrono::milliseconds longest_trial_;
  Kept kept_;
  std::optional<GivenConfiguration> running_;
  std::optional<Steady> trial_ends_;
  mutable std::mutex mutex_;  // of report_
  ConfigurationReport report_;
};

}  // namespace watchroom::agent
