// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/host_names.hpp"

#include <atomic>
#include <cstring>
#include <map>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include "agent/drivers/name_server_peer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> texts(const Result<std::vector<HostAddress>>& found) {
  if (!found) return {found.error().text};
  std::vector<std::string> all;
  for (const HostAddress& one : *found) all.push_back(one.text());
  return all;
}

template <typename Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

TEST(HostNames, ANumberIsItsOwnAddress) {
  HostNames names{{}, [](const std::string&) -> HostNames::Lookup { std::abort(); }};
  EXPECT_THAT(texts(names.find("10.0.0.9")), ElementsAre("10.0.0.9"));
  EXPECT_THAT(texts(names.find("::1")), ElementsAre("::1"));
}

TEST(HostNames, KnowTheMachineItself) {
  HostNames names;
  EXPECT_TRUE(names.find("localhost"));
}

TEST(HostNames, GiveAllAddressesOfAName) {
  NameServerPeer server;
  server.tell("ups", {"2001:db8::9", "10.0.0.9"});
  HostNames names{{}, server.look_up()};
  EXPECT_THAT(texts(names.find("ups")), ElementsAre("2001:db8::9", "10.0.0.9"));
}

TEST(HostNames, ASilentNameServerTakesNoKnownHostAwayAndHoldsNobodyUp) {
  NameServerPeer server;
  server.tell("ups", {"10.0.0.9"});
  HostNames names{{.patience = 5s, .kept_for = 0ms, .again_after = 0ms}, server.look_up()};
  ASSERT_TRUE(names.find("ups"));
  server.fall_silent();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_THAT(texts(names.find("ups")), ElementsAre("10.0.0.9"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  server.give_up();  // the lookups end without an answer
  for (int i = 0; i < 100; ++i) EXPECT_THAT(texts(names.find("ups")), ElementsAre("10.0.0.9"));
}

TEST(HostNames, AnUnknownHostIsWaitedForAndThenToldOf) {
  NameServerPeer server;
  server.fall_silent();
  HostNames names{{.patience = 100ms}, server.look_up()};
  EXPECT_EQ(names.find("ups").error().text, "ups is still being looked up");
  server.give_up();
  EXPECT_TRUE(eventually([&] {
    return names.find("ups").error().text == "ups cannot be looked up: the name server does not answer";
  }));
}

TEST(HostNames, AHostThatMovedIsFoundAtItsNewAddress) {
  NameServerPeer server;
  server.tell("ups", {"10.0.0.9"});
  HostNames names{{.kept_for = 1ms}, server.look_up()};
  ASSERT_TRUE(names.find("ups"));
  const auto changes = names.changes();
  server.tell("ups", {"10.0.0.10"});
  EXPECT_TRUE(eventually([&] { return texts(names.find("ups")).front() == "10.0.0.10"; }));
  EXPECT_GT(names.changes(), changes);
}

TEST(HostNames, AFewSilentLookupsDoNotKeepAnotherNameWaiting) {
  NameServerPeer server;
  server.fall_silent("a");
  server.fall_silent("b");
  server.tell("ups", {"10.0.0.9"});
  HostNames names{{.patience = 5s}, server.look_up()};
  names.begin("a");
  names.begin("b");
  EXPECT_THAT(texts(names.find("ups")), ElementsAre("10.0.0.9"));
}

TEST(HostNames, AStopEndsTheWaiting) {
  NameServerPeer server;
  server.fall_silent();
  HostNames names{{.patience = 1min}, server.look_up()};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(names.find("ups", stop.get_token()));
}

}  // namespace
}  // namespace watchroom::agent
