// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <variant>

#include "agent/polling/poll_result.hpp"
#include "proto/base/mailbox.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom::agent {

/// What the core thread is told by the buses' threads and by the MQTT session's thread.
struct WillWanted {
  SessionNumber session = 0;
};
struct Connected {
  SessionNumber session = 0;
};
struct Disconnected {
  SessionNumber session = 0;
  std::string reason;
};
struct Arrived {
  SessionNumber session = 0;
  std::string topic;
  std::string payload;
};
/// The settings were read anew: polls and events that follow are of these devices.
struct Reconfigured {
  DeviceList devices;
};
/// Something a device told of by itself.
struct DeviceEvent {
  std::size_t device = 0;  ///< index into the agent's devices
  Timestamp at{};
  std::string text;  ///< for people
};
using AgentEvent =
    std::variant<PollResult, DeviceEvent, WillWanted, Connected, Disconnected, Arrived, Reconfigured>;

/// One mailbox for all, so that events keep their order. Its room is shared out, so that a core that waits
/// for a slow disk loses polls before messages, and the connection's events last of all.
class AgentMailbox {
 public:
  explicit AgentMailbox(std::size_t capacity) : box_{capacity} {}

  /// One with a description is never refused: the readings behind it would be taken for other points' ones.
  bool put(PollResult polled) {
    if (polled.description) return box_.put_regardless(std::move(polled));
    return put_below(room_for_polls(), std::move(polled));
  }
  bool put(DeviceEvent event) { return put_below(box_.capacity() * 3 / 4, std::move(event)); }
  bool put(Arrived message) { return put_below(box_.capacity() * 3 / 4, std::move(message)); }
  bool put(WillWanted wanted) { return box_.put(wanted); }
  bool put(Connected connected) { return box_.put(connected); }
  /// Never refused: the polls behind it would be taken for other devices' ones.
  bool put(Reconfigured reconfigured) { return box_.put_regardless(std::move(reconfigured)); }
  bool put(Disconnected disconnected) { return box_.put(std::move(disconnected)); }

  template <typename TimePoint>
  std::vector<AgentEvent> take(std::size_t most, TimePoint deadline) {
    return box_.take(most, deadline);
  }
  void poke() { box_.poke(); }
  void close() { box_.close(); }
  bool is_closed() const { return box_.is_closed(); }
  std::size_t size() const { return box_.size(); }
  std::size_t room_for_polls() const { return box_.capacity() / 2; }
  /// Polls and messages that found no room.
  std::uint64_t refused() const { return box_.refused() + refused_; }

 private:
  bool put_below(std::size_t limit, AgentEvent event) {
    if (box_.size() < limit) return box_.put(std::move(event));
    ++refused_;
    return false;
  }
  Mailbox<AgentEvent> box_;
  std::atomic<std::uint64_t> refused_ = 0;
};

}  // namespace watchroom::agent
