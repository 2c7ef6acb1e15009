// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/link.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "agent/core/agent.hpp"
#include "agent/core/tested_agent.hpp"
#include "agent/link/test_broker.hpp"

// The whole way from a poll to the real broker over TLS.
namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

/// A host: sees everything, shows its STATE, asks for a rebirth when it comes, acknowledges when told to.
class TestHost final : private MqttEvents {
 public:
  explicit TestHost(TestBroker& broker)
      : session_{broker.settings_for("centre"), "centre", *this, system_certificate_time, Log::quiet()} {
    EXPECT_TRUE(session_.start());
    EXPECT_TRUE(wait_until([this] { return current_ != 0; }));
  }
  ~TestHost() override { session_.stop(1s); }

  std::vector<SentMessage> seen() const {
    const std::lock_guard lock{mutex_};
    return seen_;
  }
  std::size_t count(Verb verb, std::optional<std::int64_t> bd_seq = {}) const {
    std::size_t found = 0;
    for (const auto& [topic, payload] : seen())
      if (topic.verb == verb && (!bd_seq || payload.find(metric_names::bd_seq)->value == Value{*bd_seq}))
        ++found;
    return found;
  }
  /// Record number -> leak state, live and historical apart.
  std::map<std::uint64_t, std::int64_t> records(bool historical) const {
    std::map<std::uint64_t, std::int64_t> found;
    for (const auto& [topic, payload] : seen())
      if (const Metric* leak = payload.find("leak.state");
          leak && payload.journal && leak->is_historical == historical)
        found[payload.journal->record] = std::get<std::int64_t>(*leak->value);
    return found;
  }
  void acknowledge(std::uint64_t cumulative) {
    for (const auto& [topic, payload] : seen())
      if (payload.journal) {
        command(metric_names::journal_ack,
                JournalAck{payload.journal->journal_id, "centre", cumulative, {}}.str());
        return;
      }
  }

 private:
  MqttMessage will(SessionNumber) override { return {}; }
  void on_connected(SessionNumber session) override {
    current_ = session;
    static_cast<void>(session_.subscribe(session, {"spBv1.0/hq/#"}, Qos::at_least_once));
    static_cast<void>(session_.publish(
        session, {state_topic("centre"), HostState{true, 1000}.str(), Qos::at_least_once, true}));
    command(metric_names::rebirth, true);
  }
  void on_disconnected(SessionNumber, bool, const std::string&) override { current_ = 0; }
  void on_message(SessionNumber, std::string_view topic, std::string_view payload) override {
    auto parsed = Topic::parse(topic);
    auto decoded = decode(payload);
    if (!parsed || !decoded || parsed->verb == Verb::ncmd) return;
    const std::lock_guard lock{mutex_};
    seen_.push_back({*parsed, *decoded});
  }
  void command(std::string_view name, Value value) {
    Payload payload;
    payload.metrics = {{.name = std::string{name}, .value = std::move(value)}};
    static_cast<void>(session_.publish(
        current_, {"spBv1.0/hq/NCMD/room1", encode(payload, WithDatatypes::yes), Qos::at_most_once, false}));
  }

  mutable std::mutex mutex_;
  std::vector<SentMessage> seen_;
  std::atomic<SessionNumber> current_ = 0;
  MqttSession session_;
};

/// The agent as `run` builds it, without buses.
class RunningAgent {
 public:
  RunningAgent(TestBroker& broker, const std::filesystem::path& folder)
      : journal_{*Journal::open(folder / "journal.sqlite", journal_settings(), clock_, Log::quiet())},
        link_{broker.settings_for("room1"), "room1", system_certificate_time, Log::quiet()},
        agent_{{.group = "hq", .node = "room1", .name = "room", .ack_hosts = {"centre"}},
               listed({test_device("th1")}),
               *journal_,
               link_,
               field_,
               clock_,
               ClockFacts{{}, "boot", [] { return true; }},
               Log::quiet()} {
    EXPECT_TRUE(link_.start(agent_.mailbox()));
    core_ = std::thread{[this] { agent_.run(); }};
  }
  ~RunningAgent() {
    if (core_.joinable()) vanish();
  }

  void polls(std::int64_t leak) {
    PollResult polled{0, Communication::ok, "", clock_.now(), {}};
    polled.readings = {{20.0, Quality::good, clock_.now()}, {leak, Quality::good, clock_.now()}};
    EXPECT_TRUE(agent_.mailbox().put(std::move(polled)));
  }
  void stop() {
    agent_.request_stop();
    core_.join();
    link_.stop(5s);
  }
  void reconnect() { link_.reconnect(); }
  std::uint64_t journal_head() const { return journal_->head(); }
  /// Without a word, as a dead process does.
  void vanish() {
    link_.stop(0ms);
    agent_.request_stop();
    core_.join();
  }

 private:
  static JournalSettings journal_settings() {
    JournalSettings settings;
    settings.ack_hosts = {"centre"};
    settings.urgent_commit = 10ms;
    return settings;
  }
  SystemClock machine_clock_;
  AgentClock clock_{machine_clock_};
  RecordingField field_;
  std::unique_ptr<Journal> journal_;
  Link link_;
  Agent agent_;
  std::thread core_;
};

TEST(Link, WhatIsOnItsWayToTheJournalWhenWeStopGetsThere) {
  const ScratchFolder folder;
  TestBroker broker;
  RunningAgent agent{broker, folder.path()};
  constexpr std::uint64_t polls = 3000;
  for (std::uint64_t i = 0; i < polls; ++i) agent.polls(static_cast<std::int64_t>(i % 2));
  agent.stop();
  EXPECT_EQ(agent.journal_head(), polls);
}

TEST(Link, AKilledBrokerCostsNoRecord) {
  const ScratchFolder folder;
  TestBroker broker;
  TestHost host{broker};
  RunningAgent agent{broker, folder.path()};
  ASSERT_TRUE(wait_until([&] { return host.count(Verb::nbirth, 0) > 0 && host.count(Verb::dbirth) > 0; }));
  agent.polls(0);
  ASSERT_TRUE(wait_until([&] { return host.records(false).contains(1) || host.records(true).contains(1); }));
  host.acknowledge(1);

  broker.kill();
  for (const std::int64_t leak : {1, 0, 1, 0, 1}) agent.polls(leak);
  broker.start();
  ASSERT_TRUE(wait_until([&] { return host.count(Verb::nbirth, 1) > 0; }));
  ASSERT_TRUE(wait_until([&] {
    auto all = host.records(true);
    all.merge(host.records(false));
    return all.size() == 6;
  }));
  const auto replayed = host.records(true);
  for (const auto& [record, leak] : replayed) EXPECT_EQ(leak, record % 2 == 0 ? 1 : 0) << record;
  host.acknowledge(6);

  agent.stop();
  ASSERT_TRUE(wait_until([&] { return host.count(Verb::ndeath, 1) > 0; }));
  EXPECT_EQ(host.count(Verb::ndeath, 1), 1u);  // ours, and no will after the DISCONNECT
}

TEST(Link, ANewCertificateCostsNoRecordAndNobodySeesADeath) {
  const ScratchFolder folder;
  TestBroker broker;
  TestHost host{broker};
  RunningAgent agent{broker, folder.path()};
  ASSERT_TRUE(wait_until([&] { return host.count(Verb::nbirth, 0) > 0 && host.count(Verb::dbirth) > 0; }));
  for (const std::int64_t leak : {1, 0, 1}) agent.polls(leak);
  agent.reconnect();
  for (const std::int64_t leak : {0, 1, 0}) agent.polls(leak);
  ASSERT_TRUE(wait_until([&] { return host.count(Verb::nbirth, 1) > 0; }));
  EXPECT_TRUE(wait_until([&] {
    auto all = host.records(true);
    all.merge(host.records(false));
    return all.size() == 6;
  }));
  EXPECT_EQ(host.count(Verb::ndeath), 0u);
  agent.stop();
}

TEST(Link, TheBrokerTellsWhenAnAgentVanishes) {
  const ScratchFolder folder;
  TestBroker broker;
  TestHost host{broker};
  {
    RunningAgent agent{broker, folder.path()};
    ASSERT_TRUE(wait_until([&] { return host.count(Verb::nbirth, 0) > 0; }));
    agent.polls(1);
    ASSERT_TRUE(wait_until([&] { return !host.records(false).empty() || !host.records(true).empty(); }));
    agent.vanish();
  }
  EXPECT_TRUE(wait_until([&] { return host.count(Verb::ndeath, 0) == 1; }));
  RunningAgent next_life{broker, folder.path()};
  EXPECT_TRUE(wait_until([&] { return host.count(Verb::nbirth, 1) > 0; }));
  EXPECT_TRUE(wait_until([&] { return host.records(true).contains(1); }));  // never acknowledged
  next_life.stop();
}

TEST(Link, RefusesAtOnceAKeyThatIsNotThere) {
  const ScratchFolder folder;
  TestBroker broker;
  auto settings = broker.settings_for("room1");
  settings.key_file = folder.path() / "no.key";
  Link link{settings, "room1", system_certificate_time, Log::quiet()};
  AgentMailbox mailbox{16};
  EXPECT_FALSE(link.start(mailbox));
}

}  // namespace
}  // namespace watchroom::agent
