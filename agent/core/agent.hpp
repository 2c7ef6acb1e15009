// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/clock/agent_clock.hpp"
#include "agent/core/agent_event.hpp"
#include "agent/core/core_figures.hpp"
#include "agent/core/field.hpp"
#include "agent/journal/journal.hpp"
#include "agent/link/edge_node.hpp"
#include "agent/link/outlet.hpp"
#include "agent/report/reporter.hpp"

namespace watchroom::agent {

/// The agent's core: polls go through reporter, journal and edge node to the outlet, what the broker says
/// comes back the same way. All state has one owner, the thread that calls `step` or `run`; others reach it
/// through `mailbox` only. `journal`, `outlet`, `field` and `clock` must outlive it; it moves `clock`.
class Agent {
 public:
  Agent(EdgeNodeSettings settings, DeviceList devices, Journal& journal, Outlet& outlet, Field& field,
        AgentClock& clock, ClockFacts facts, Log log);

  AgentMailbox& mailbox() { return mailbox_; }
  /// Who gets the centre's signed orders, in base64, as they came; called on the core's thread: hand over
  /// and return. Before it runs.
  void deliver_orders_to(std::function<void(std::string)> deliver) { deliver_order_ = std::move(deliver); }

  /// Takes the events in order, then does what is due. Says when it wants to be called again, at the latest.
  std::optional<Steady> step(std::vector<AgentEvent> events);
  /// Puts on disk and sends what can be, then NDEATH. Nothing may be stepped afterwards.
  void finish();

  /// Steps until `request_stop`, then finishes.
  void run();
  /// From any thread.
  void request_stop();

  const EdgeNode& edge_node() const { return edge_node_; }
  /// From any thread; at most a second older than the last pass.
  CoreFigures figures() const;

 private:
  void take(PollResult& polled);
  void take(DeviceEvent& event);
  void take(const WillWanted& wanted);
  void take(const Reconfigured& settings);
  void take(const Connected& connected);
  void take(const Disconnected& lost);
  void take(const Arrived& message);
  std::uint64_t append(const std::string& device, Payload& payload, Urgency urgency);
  void give_classes();
  MachineTime machine_time() const;
  void watch_clock();
  void vouch_for_clock();
  void move_clock(const std::optional<ClockStep>& step);
  std::chrono::milliseconds late_step(Timestamp at) const;
  void commit();
  void send();
  void note_figures();
  void comes_by(std::chrono::milliseconds within);

  DeviceList devices_;
  std::vector<Reporter> reporters_;
  std::map<std::string, std::int64_t> event_counts_;  // by id, of the devices that ever told something
  Journal& journal_;
  Outlet& outlet_;
  Field& field_;
  AgentClock& clock_;
  const ClockFacts clock_facts_;
  const Log log_;
  ClockWatch clock_watch_;
  Steady look_at_clock_at_{};
  std::chrono::milliseconds last_step_{0};  // of the clock
  Steady late_until_{};                     // until then there may be readings by the clock before it
  EdgeNode edge_node_;
  std::function<void(std::string)> deliver_order_;
  AgentMailbox mailbox_;
  std::atomic<bool> is_stopping_ = false;
  std::uint64_t refused_told_ = 0;

  CoreFigures noted_;  // the core's own; what others see is below
  std::optional<Steady> noted_at_;
  mutable std::mutex figures_mutex_;
  CoreFigures figures_;
  std::atomic<std::int64_t> back_by_ms_ = Steady::max().time_since_epoch().count();
};

}  // namespace watchroom::agent
