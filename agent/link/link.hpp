// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "agent/core/agent_event.hpp"
#include "agent/link/outlet.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom::agent {

/// The real outlet: owns the MQTT session and its thread, and puts what it says into the core's mailbox.
/// `mailbox` is attached before `start` and must outlive `stop`.
class Link final : public Outlet, private MqttEvents {
 public:
  Link(BrokerSettings broker, std::string client_id, CertificateClock time, Log log);
  ~Link() override;

  /// `changed` is called on the MQTT thread when the broker is there or gone: hand over and return.
  Result<void> start(AgentMailbox& mailbox, std::function<void(bool is_up)> changed = {});
  /// Flushes, sends DISCONNECT and joins; at most about `patience` long.
  void stop(std::chrono::milliseconds patience);
  /// Leaves the broker in good order and connects anew with the identity that is in the files now.
  void reconnect();

  void provide_will(SessionNumber session, MqttMessage will) override;
  Result<void> subscribe(SessionNumber session, const std::vector<std::string>& topics) override;
  Result<void> publish(SessionNumber session, const MqttMessage& message) override;

 private:
  MqttMessage will(SessionNumber session) override;
  void on_connected(SessionNumber session) override;
  void on_disconnected(SessionNumber session, bool was_connected, const std::string& reason) override;
  void on_message(SessionNumber session, std::string_view topic, std::string_view payload) override;

  AgentMailbox* mailbox_ = nullptr;
  std::function<void(bool)> changed_;
  std::mutex mutex_;
  std::condition_variable will_came_;
  std::optional<std::pair<SessionNumber, MqttMessage>> will_;
  bool is_stopping_ = false;
  MqttSession session_;  // last: its thread calls the rest
};

}  // namespace watchroom::agent
