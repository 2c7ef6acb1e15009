// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/core/agent.hpp"

#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/tested_agent.hpp"
#include "agent/journal/full_disk.hpp"
#include "agent/journal/noise.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsSupersetOf;

class AgentTest : public testing::Test, protected TestedAgent {
 protected:
  AgentTest() { start(); }
};

TEST_F(AgentTest, ADayWithoutChangesKeepsToMaxSilence) {
  connect();
  host_says(true, 1000);
  take();
  for (int poll = 0; poll < 60; ++poll) {
    polls(0, 20.0);
    run_for(10s);
    acknowledges(journal().head());
  }
  EXPECT_EQ(journal().head(), 10u);  // 10 minutes, one a minute
}

TEST_F(AgentTest, AFullDiskDoesNotSilenceAnAlarm) {
  connect();
  host_says(true, 1000);
  polls(0, 20.0);
  run_for(3s);
  acknowledges(1);
  take();
  {
    const FullDisk full{1000};
    polls(0, 20.0, 1);
    run_for(200ms);
    polls(0, 20.0, 0);
    run_for(1s);
  }
  // Both changes are told live, without a stamp: only what is on disk carries a number.
  EXPECT_THAT(story(), ElementsAre("DDATA th1", "NDATA", "DDATA th1"));
  run_for(10s);
  EXPECT_THAT(story(), ElementsAre("DDATA* th1 #2", "DDATA* th1 #3", "NDATA"));
}

TEST_F(AgentTest, AJournalThatIsDamagedWhileWeRunIsReplacedAndAnnounced) {
  // More than SQLite keeps in memory, so that the replay has to read the file.
  Payload large;
  for (int i = 1; i <= 20'000; ++i) {
    large.metrics = {{.name = "communication.text",
                      .at = clock.now(),
                      .value = noise_of(static_cast<std::uint64_t>(i), 500)}};
    journal().append("th1", encode(large, WithDatatypes::no), Urgency::urgent);
    if (i % 2000 == 0) run_for(3s);
  }
  ASSERT_EQ(journal().head(), 20'000u);
  const JournalId before = journal().id();
  damage_journal();
  connect();
  host_says(true, 1000);
  run_for(2s);
  EXPECT_NE(journal().id(), before);
  EXPECT_EQ(journal().moved_aside(), 1);
  EXPECT_EQ(journal().head() + journal().lost(), 20'000u);
  EXPECT_THAT(story(), IsSupersetOf({"NBIRTH", "DBIRTH th1", "DBIRTH th2"}));
  polls(0, 20.0, 1);
  run_for(1s);
  EXPECT_THAT(story(), testing::Contains(fmt::format("DDATA th1 #{}", journal().head())));
}

TEST_F(AgentTest, TroubleWithTheJournalReachesTheCentreAtOnce) {
  connect();
  const auto birth = take().front().payload;
  EXPECT_EQ(birth.find(metric_names::journal_state)->value, Value{std::int64_t{0}});
  EXPECT_EQ(birth.find(metric_names::journal_moved_aside)->value, Value{std::int64_t{0}});
  EXPECT_EQ(birth.find(metric_names::journal_dropped_polls)->value, Value{std::int64_t{0}});
  run_for(1s);
  take();
  {
    const FullDisk full{1000};
    polls(0, 20.0, 1);
    run_for(1s);
    const auto sent = take();
    const auto heartbeat = std::find_if(sent.begin(), sent.end(), [](const SentMessage& message) {
      return message.topic.verb == Verb::ndata;
    });
    ASSERT_NE(heartbeat, sent.end());
    EXPECT_EQ(heartbeat->payload.find(metric_names::journal_state)->value, Value{std::int64_t{2}});
  }
  run_for(6s);
  const auto sent = take();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.back().payload.find(metric_names::journal_state)->value, Value{std::int64_t{0}});
}

TEST_F(AgentTest, TellsHowManyPollsFoundNoRoom) {
  connect();
  take();
  while (agent().mailbox().put(PollResult{7, Communication::ok, "", {}, {}})) {
  }
  // What says which points the readings behind it are of always finds room.
  PollResult described{1, Communication::ok, "", clock.now(), {}};
  described.description = std::make_shared<const DeviceDescription>(test_device("th2"));
  EXPECT_TRUE(agent().mailbox().put(std::move(described)));
  run_for(1s);
  const auto sent = take();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.front().payload.find(metric_names::journal_dropped_polls)->value, Value{std::int64_t{1}});
}

TEST_F(AgentTest, ReadingsThatDoNotFitThePointsAreOfNoUse) {
  PollResult short_by_one{0, Communication::ok, "", clock.now(), {}};
  short_by_one.readings = {{20.0, Quality::good, clock.now()}};
  step({short_by_one});
  run_for(1s);
  EXPECT_EQ(journal().last_appended(), 0u);
}

class EventTest : public testing::Test, protected TestedAgent {
 protected:
  static std::vector<DeviceDescription> devices() {
    std::vector<DeviceDescription> two{test_device("ups1"), test_device("th2")};
    two[0].tells_events = true;
    return two;
  }
  EventTest() : TestedAgent{devices()} { start(); }
};

TEST_F(EventTest, AnEventIsOnDiskAndOnItsWayAtOnceAndStepsTheCount) {
  connect();
  host_says(true, 1000);
  take();
  tells(0, "市电中断 Utility power failed");
  tells(0, "市电中断 Utility power failed");
  run_for(250ms);
  EXPECT_EQ(journal().head(), 2u);
  const auto sent = take();
  ASSERT_EQ(sent.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(sent[i].topic.device, "ups1");
    EXPECT_EQ(sent[i].payload.find("event.text")->value, Value{std::string{"市电中断 Utility power failed"}});
    EXPECT_EQ(sent[i].payload.find("event.count")->value, Value{static_cast<std::int64_t>(i) + 1});
  }
}

TEST_F(EventTest, AnEventDuringACutReachesTheHistory) {
  tells(0, "before");
  run_for(1s);
  connect();
  host_says(true, 1000);
  run_for(1s);
  const auto sent = take();
  const auto record = std::find_if(sent.begin(), sent.end(), [](const SentMessage& message) {
    return message.payload.journal && message.payload.find("event.text");
  });
  ASSERT_NE(record, sent.end());
  EXPECT_TRUE(record->payload.find("event.text")->is_historical);
  EXPECT_EQ(record->payload.find("event.text")->value, Value{std::string{"before"}});
}

TEST_F(EventTest, OnlyADeviceThatCanTellAnnouncesEvents) {
  connect();
  for (const SentMessage& message : take())
    if (message.topic.verb == Verb::dbirth) {
      EXPECT_EQ(message.payload.find("event.count") != nullptr, message.topic.device == "ups1")
          << message.topic.device;
    }
  tells(1, "never configured");
  tells(7, "no such device");
  run_for(1s);
  EXPECT_EQ(journal().head(), 0u);
}

TEST_F(EventTest, ABirthSaysTheLastEvent) {
  tells(0, "first");
  tells(0, "second");
  connect();
  for (const SentMessage& message : take())
    if (message.topic.device == "ups1" && message.topic.verb == Verb::dbirth) {
      EXPECT_EQ(message.payload.find("event.text")->value, Value{std::string{"second"}});
      EXPECT_EQ(message.payload.find("event.count")->value, Value{std::int64_t{2}});
    }
}

TEST_F(AgentTest, IgnoresAPollOfADeviceItDoesNotHave) {
  step({PollResult{7, Communication::ok, "", {}, {}}});
  EXPECT_EQ(journal().last_appended(), 0u);
}

/// A host that loses what the network loses, acknowledges what it has, and knows its sum.
TEST_F(AgentTest, EveryRecordArrivesOverALineThatLosesAThirdAndBreaksOften) {
  std::mt19937 random{20'261'121};
  const auto chance = [&](int percent) { return std::uniform_int_distribution{1, 100}(random) <= percent; };
  std::map<std::uint64_t, std::vector<Metric>> received;
  bool is_connected = false;
  const auto receive = [&] {
    for (const SentMessage& message : take()) {
      if (!message.payload.journal || chance(33)) continue;
      auto metrics = message.payload.metrics;
      for (Metric& metric : metrics) metric.is_historical = false;
      const auto [known, is_new] = received.try_emplace(message.payload.journal->record, metrics);
      EXPECT_EQ(known->second, metrics);  // the same content each time
    }
  };
  const auto acknowledge = [&] {
    if (!is_connected || chance(33)) return;
    std::uint64_t cumulative = 0;
    while (received.contains(cumulative + 1)) ++cumulative;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> above;
    for (const auto& [record, metrics] : received)
      if (record > cumulative) above.emplace_back(record, record);
    acknowledges(cumulative, above);
  };
  for (int second = 0; second < 900; ++second) {
    if (second < 600 && second % 60 == 20) {
      is_connected ? disconnect() : connect();
      is_connected = !is_connected;
      if (is_connected) host_says(true, 1000);
    }
    if (second < 600 && second % 97 == 50) {
      outlet.current = 0;
      is_connected = false;
      restart_with({test_device("th1"), test_device("th2")});
    }
    if (second == 600 && !is_connected) {
      connect();
      is_connected = true;
      host_says(true, 1000);
    }
    if (second < 600)
      chance(5) ? is_silent(1) : polls(static_cast<std::size_t>(second % 2), 20.0 + second % 7);
    if (is_connected && chance(2)) ask_for_rebirth();
    run_for(1s);
    receive();
    acknowledge();
  }
  EXPECT_GT(journal().head(), 400u);
  EXPECT_EQ(received.size(), journal().head());
  EXPECT_EQ(received.rbegin()->first, journal().head());
  EXPECT_EQ(journal().lost(), 0u);
  EXPECT_EQ(journal().oldest(), journal().head() + 1);
}

TEST(AgentMailbox, KeepsRoomForTheConnectionWhenPollsFillIt) {
  AgentMailbox mailbox{8};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(mailbox.put(PollResult{}), i < 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(mailbox.put(Arrived{}), i < 2);
  EXPECT_TRUE(mailbox.put(Disconnected{}));
  EXPECT_EQ(mailbox.refused(), 4u);
}

TEST(AgentThread, RunsAndStopsOnItsOwn) {
  const ScratchFolder folder;
  const SystemClock machine_clock;
  AgentClock clock{machine_clock};
  RecordingField field;
  auto journal = *Journal::open(folder.path() / "journal.sqlite", {}, clock, Log::quiet());
  RecordingOutlet outlet;
  Agent agent{{.group = "hq", .node = "room1", .name = "", .ack_hosts = {}},
              listed({test_device("th1")}),
              *journal,
              outlet,
              field,
              clock,
              ClockFacts::of_this_machine(),
              Log::quiet()};
  std::thread core{[&agent] { agent.run(); }};
  PollResult polled{0, Communication::ok, "", clock.now(), {}};
  polled.readings.assign(2, {std::int64_t{0}, Quality::good, clock.now()});
  EXPECT_TRUE(agent.mailbox().put(polled));
  agent.mailbox().put(WillWanted{1});
  agent.request_stop();
  core.join();
  EXPECT_LE(journal->head(), 1u);
  EXPECT_EQ(journal->pending().size(), 0u);
}

}  // namespace
}  // namespace watchroom::agent
