// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/log.hpp"
#include "proto/base/result.hpp"
#include "proto/base/settings.hpp"
#include "proto/link/tls_context.hpp"

namespace watchroom {

/// Where the broker is and who we are to it. TLS 1.2 or newer, with our own certificate, always.
struct BrokerSettings {
  std::string host;
  int port = 8883;
  std::filesystem::path ca_file;
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
  std::chrono::seconds keepalive{10};
  std::chrono::milliseconds reconnect_min{500};
  std::chrono::milliseconds reconnect_max{30'000};
  /// From the first packet to CONNACK.
  std::chrono::milliseconds connect_timeout{10'000};

  /// Reads the `[broker]` table that agent and aggregator share.
  static BrokerSettings read(const SettingsTable& table);
  bool operator==(const BrokerSettings&) const = default;
};

enum class Qos { at_most_once = 0, at_least_once = 1 };

struct MqttMessage {
  std::string topic;
  std::string payload;
  Qos qos = Qos::at_most_once;
  bool retain = false;
};

/// Numbers the sessions of one MqttSession that a broker accepted: 1, 2, 3 … What belongs to an older session
/// is refused, so that nothing of it can slip into the next one before that one's birth.
using SessionNumber = std::uint64_t;

/// What a session tells its owner. Called on the session's own thread: hand over and return.
class MqttEvents {
 public:
  MqttEvents() = default;
  MqttEvents(const MqttEvents&) = delete;
  MqttEvents& operator=(const MqttEvents&) = delete;
  virtual ~MqttEvents() = default;

  /// Asked before every CONNECT; one that was not accepted asks again with the same number.
  virtual MqttMessage will(SessionNumber session) = 0;
  virtual void on_connected(SessionNumber session) = 0;
  /// Once after each on_connected, and once for each attempt that failed (`was_connected` false).
  virtual void on_disconnected(SessionNumber session, bool was_connected, const std::string& reason) = 0;
  virtual void on_message(SessionNumber session, std::string_view topic, std::string_view payload) = 0;
};

/// That of a machine whose clock is kept.
CertificateTime system_certificate_time();

/// One MQTT 3.1.1 clean session after another, on a thread of its own: connects, waits with jittered pauses
/// between the configured bounds, which grow until a session has lasted for some seconds, connects again,
/// until stopped. The files are read anew for each. `publish` and `subscribe` may be called from any thread.
/// `events` must outlive it. (libmosquitto resolves names synchronously: hence the thread.)
class MqttSession {
 public:
  MqttSession(BrokerSettings settings, std::string client_id, MqttEvents& events, CertificateClock time,
              Log log);
  MqttSession(const MqttSession&) = delete;
  MqttSession& operator=(const MqttSession&) = delete;
  /// Stops without a DISCONNECT if `stop` was not called: the broker then publishes the will.
  ~MqttSession();

  /// Refuses at once files that are missing. What is in them the settings' check has looked at; what went bad
  /// since is told through `on_disconnected`.
  Result<void> start();
  /// Flushes what was published, sends DISCONNECT and joins the thread; at most about `patience` long, but a
  /// name that is just being resolved is waited for (resolv.conf says how long).
  void stop(std::chrono::milliseconds patience);
  /// Sends a DISCONNECT and connects anew; the certificate's files are read again then.
  void reconnect();

  /// Hands a message to the connection. Refused when `session` is not the current one.
  Result<void> publish(SessionNumber session, const MqttMessage& message);
  Result<void> subscribe(SessionNumber session, const std::vector<std::string>& topics, Qos qos);

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace watchroom
