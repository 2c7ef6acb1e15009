// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <vector>

#include "agent/core/agent_event.hpp"
#include "agent/journal/journal.hpp"
#include "agent/link/edge_node.hpp"
#include "agent/link/outlet.hpp"
#include "agent/report/reporter.hpp"

namespace watchroom::agent {

/// The agent's core: polls go through reporter, journal and edge node to the outlet, what the broker says
/// comes back the same way. All state has one owner, the thread that calls `step` or `run`; others reach it
/// through `mailbox` only. `journal`, `outlet` and `clock` must outlive it.
class Agent {
 public:
  Agent(EdgeNodeSettings settings, DeviceList devices, Journal& journal, Outlet& outlet, const Clock& clock,
        Log log);

  AgentMailbox& mailbox() { return mailbox_; }

  /// Takes the events in order, then does what is due. Says when it wants to be called again, at the latest.
  std::optional<Steady> step(std::vector<AgentEvent> events);
  /// Puts on disk and sends what can be, then NDEATH. Nothing may be stepped afterwards.
  void finish();

  /// Steps until `request_stop`, then finishes.
  void run();
  /// From any thread.
  void request_stop();

  const EdgeNode& edge_node() const { return edge_node_; }

 private:
  void take(PollResult& polled);
  void take(const DeviceEvent& event);
  void take(const WillWanted& wanted);
  void take(const Connected& connected) { edge_node_.connected(connected.session); }
  void take(const Disconnected& lost) { edge_node_.disconnected(lost.session, lost.reason); }
  void take(const Arrived& message) { edge_node_.arrived(message.session, message.topic, message.payload); }
  void commit();
  void send();

  DeviceList devices_;
  std::vector<Reporter> reporters_;
  std::map<std::size_t, std::int64_t> event_counts_;  // of the devices that ever told something
  Journal& journal_;
  Outlet& outlet_;
  const Clock& clock_;
  const Log log_;
  EdgeNode edge_node_;
  AgentMailbox mailbox_;
  std::atomic<bool> is_stopping_ = false;
  std::uint64_t refused_told_ = 0;
};

}  // namespace watchroom::agent
