// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/core/core_figures.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "agent/core/tested_agent.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

TEST(CoreFigures, TellOfSessionsAndOfAttemptsThatFailed) {
  TestedAgent tested;
  tested.start();
  EXPECT_EQ(tested.agent().figures().connected_since, std::nullopt);
  tested.fail_to_connect();
  tested.run_for(2s);
  EXPECT_EQ(tested.agent().figures().failed_attempts, 1u);
  tested.connect();
  tested.run_for(2s);
  CoreFigures now = tested.agent().figures();
  EXPECT_EQ(now.sessions, 1u);
  EXPECT_EQ(now.failed_attempts, 1u);
  ASSERT_TRUE(now.connected_since);
  EXPECT_EQ(tested.clock.steady() - *now.connected_since, 2s);
  tested.disconnect();
  tested.run_for(3s);
  now = tested.agent().figures();
  EXPECT_EQ(now.connected_since, std::nullopt);
  EXPECT_EQ(tested.clock.steady() - now.disconnected_since, 3s);
  EXPECT_EQ(now.failed_attempts, 1u);
}

TEST(CoreFigures, CarryTheJournalsDepth) {
  TestedAgent tested;
  tested.start();
  tested.connect();
  tested.polls(0, 23.0);
  tested.run_for(10s);
  EXPECT_EQ(tested.agent().figures().journal.waiting, 1u);
  tested.acknowledges(1);
  tested.run_for(2s);
  EXPECT_EQ(tested.agent().figures().journal.waiting, 0u);
}

TEST(CoreFigures, ACoreThatRunsIsExpectedBackAndOneThatHasEndedIsNot) {
  const SystemClock machine_clock;
  AgentClock clock{machine_clock};
  RecordingField field;
  const ScratchFolder folder;
  const auto journal = *Journal::open(folder.path() / "journal.sqlite", {}, clock, Log::quiet());
  RecordingOutlet outlet;
  Agent agent{{.group = "hq", .node = "room1", .name = "", .ack_hosts = {}},
              {},
              *journal,
              outlet,
              field,
              clock,
              ClockFacts::of_this_machine(),
              Log::quiet()};
  EXPECT_EQ(agent.figures().back_by, Steady::max());
  std::thread core{[&] { agent.run(); }};
  const auto deadline = clock.steady() + 10s;
  while (agent.figures().back_by == Steady::max() && clock.steady() < deadline) std::this_thread::yield();
  EXPECT_GT(agent.figures().back_by, clock.steady());
  EXPECT_LT(agent.figures().back_by, clock.steady() + 10min);
  agent.request_stop();
  core.join();
  EXPECT_EQ(agent.figures().back_by, Steady::max());
}

}  // namespace
}  // namespace watchroom::agent
