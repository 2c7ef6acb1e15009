// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "aggregator/audit/audit_trail.hpp"
#include "aggregator/core/core.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::aggregator {

/// aggregator.toml but for [web], which the web server reads for itself.
struct AggregatorSettings {
  std::filesystem::path data_dir;
  LogLevel log_level = LogLevel::info;
  BrokerSettings broker;
  CoreSettings core;
  std::vector<Rule> rules;

  /// Everything wrong goes to the table's problems. Does not call `finish` on the top table.
  static AggregatorSettings read(const SettingsTable& table);
};

/// The running aggregator without its web server: broker session, core thread, courier. The thread that calls
/// `start` and `stop` is the owner.
class Aggregator {
 public:
  /// What was refused lately; asked each second, on the core's thread.
  using AskRefusals = std::function<Refusals()>;

  /// `audit` must outlive it.
  Aggregator(AggregatorSettings settings, AuditTrail& audit, AskRefusals refusals, const Clock& clock,
             Log log);
  Aggregator(const Aggregator&) = delete;
  Aggregator& operator=(const Aggregator&) = delete;
  ~Aggregator();

  /// Opens the store, loads what was open, starts the threads.
  Result<void> start();
  /// Says goodbye to the broker (STATE offline), commits what has arrived, joins the threads.
  void stop();

  /// Both from any thread between `start` and `stop`.
  void tell(IdentityNews news);
  /// Begins a new broker session, with the files of the certificate as they are now.
  void reconnect();

  /// Valid between `start` and the end of this object.
  Room& room();
  /// Publishes a signed order; whether it arrived only the agent can tell. From any thread between `start`
  /// and `stop`. Errc::not_connected without a broker.
  Result<void> send_order(const std::string& site, const std::string& agent, const std::string& order);

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace watchroom::aggregator
