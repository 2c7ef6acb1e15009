// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <vector>

#include "aggregator/configurations/configuration_book.hpp"

namespace watchroom::aggregator {

/// How far an agent is with the configuration that was given last.
enum class ConfigurationProgress {
  waiting,   ///< the agent is away, or cannot be told
  sent,      ///< and not heard of yet
  on_trial,  ///< followed, not proved
  in_force,
  refused,  ///< the agent's events say why
  fallen_back,
};
std::string_view name_of(ConfigurationProgress progress);

struct ConfigurationView {
  KeptConfiguration kept;
  ConfigurationProgress progress = ConfigurationProgress::waiting;
  std::uint64_t running = 0;  ///< number that the agent runs with; 0: its own file
  std::string trouble = {};   ///< why it cannot be sent; empty: nothing is known
  std::string reasons = {};   ///< what the agent said last about orders
};

/// What pages and API may do with agents' configurations. Thread-safe.
class Configurations {
 public:
  Configurations() = default;
  Configurations(const Configurations&) = delete;
  Configurations& operator=(const Configurations&) = delete;
  virtual ~Configurations() = default;

  /// Keeps it and sends it as soon as the agent is there. Errc::invalid for what is no TOML, with the line.
  virtual Result<ConfigurationView> give(const std::string& site, const std::string& agent,
                                         const std::string& text, const std::string& by,
                                         const std::string& comment) = 0;
  /// Errc::not_found when the agent was never given one.
  virtual Result<ConfigurationView> latest(const std::string& site, const std::string& agent) const = 0;
  virtual Result<std::vector<KeptConfiguration>> history(const std::string& site, const std::string& agent,
                                                         std::size_t limit) const = 0;
};

}  // namespace watchroom::aggregator
