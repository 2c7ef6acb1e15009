// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <random>

#include "agent/core/agent.hpp"
#include "aggregator/core/core.hpp"

namespace watchroom::timelines {

/// What the broker knows: messages under way, the agent's will, the host's retained STATE, who is connected.
struct Wires {
  std::deque<MqttMessage> to_agent, to_centre;
  std::optional<MqttMessage> agent_will, retained_state;
  SessionNumber agent_session = 0, centre_session = 0;  ///< 0: not connected
};

/// The agent's side of the broker. Loses DATA with the given probability, as QoS 0 may.
class AgentSide final : public agent::Outlet {
 public:
  AgentSide(Wires& wires, std::uint32_t seed) : wires_{wires}, random_{seed} {}
  void provide_will(SessionNumber, MqttMessage will) override { wires_.agent_will = std::move(will); }
  Result<void> subscribe(SessionNumber session, const std::vector<std::string>& topics) override;
  Result<void> publish(SessionNumber session, const MqttMessage& message) override;
  double loss = 0;

 private:
  Wires& wires_;
  std::minstd_rand random_;
};

/// The centre's side, and its mail server: every mail is accepted at once.
class CentreSide final : public aggregator::Outside {
 public:
  explicit CentreSide(Wires& wires) : wires_{wires} {}
  void subscribe(SessionNumber, const std::vector<std::string>&) override {}
  void publish(SessionNumber session, const MqttMessage& message) override;
  bool hand_over(std::int64_t mail, aggregator::Notice notice) override;
  std::vector<aggregator::Notice> mails;
  std::deque<std::int64_t> accepted;

 private:
  Wires& wires_;
};

/// Nobody changes a class here.
struct NoField final : agent::Field {
  void put_into_class(const std::string&, agent::ResourceClass) override {}
};

/// One room with one device (a counter and a temperature), its agent, a broker, a centre.
class House {
 public:
  explicit House(std::uint32_t seed, std::string_view rules = "");
  ~House();

  /// The device answers with the next counter value.
  void polls(double celsius = 22.0);
  void device_falls_silent();
  /// Time goes by in small steps in which both sides do what is due and messages travel.
  void pass(std::chrono::milliseconds time);
  void crash_agent();
  void crash_centre();
  void cut_agent();
  void cut_centre();
  void connect();

  /// Every stored reading of the counter, in order of its record.
  std::vector<std::pair<std::uint64_t, std::int64_t>> stored() const;
  std::uint64_t journal_head() const { return journal_->head(); }
  std::uint64_t journal_oldest() const { return journal_->oldest(); }
  std::int64_t counter() const { return counter_; }
  aggregator::PublishedRoom& room() { return *room_; }
  const std::vector<aggregator::Notice>& mails() const { return centre_side_.mails; }
  AgentSide& agent_side() { return agent_side_; }

 private:
  void start_agent();
  void start_centre();
  void deliver();
  void tell_agent(agent::AgentEvent event);
  void tell_centre(aggregator::CoreEvent event);
  agent::PollResult poll_result(double celsius) const;

  std::filesystem::path folder_;
  std::string rules_;
  FakeClock clock_;
  agent::AgentClock agent_clock_{clock_};
  NoField field_;
  Wires wires_;
  AgentSide agent_side_;
  CentreSide centre_side_;
  SessionNumber next_session_ = 1;
  std::int64_t counter_ = 0;
  std::unique_ptr<agent::Journal> journal_;
  std::unique_ptr<agent::Agent> agent_;
  std::unique_ptr<aggregator::PublishedRoom> room_;
  std::unique_ptr<aggregator::Core> core_;
};

}  // namespace watchroom::timelines
