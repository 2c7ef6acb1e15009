// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/key_herald.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/web/fake_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

const Timestamp rotated = from_ms(1'800'000'000'000);

std::int64_t seconds_since_1970(Timestamp time) { return to_ms(time) / 1000; }

class KeyHeraldTest : public testing::Test {
 protected:
  KeyHeraldTest() { tells("online", 0); }

  void tells(const std::string& state, std::int64_t key_since_s, const std::string& challenge = "abc") {
    AgentView agent;
    agent.site = "hq";
    agent.agent = "room1";
    agent.state = state;
    agent.challenge = challenge;
    room_.put(agent);
    room_.put(FakeRoom::point("self", "orders.key_since", key_since_s));
  }
  void pass(std::chrono::seconds time) {
    for (auto passed = 0s; passed < time; passed += 2s) {
      herald_.look();
      clock_.advance(2s);
    }
  }

  FakeClock clock_{rotated + 1h};
  FakeRoom room_;
  std::vector<Order> sent_;
  Result<Timestamp> key_since_ = rotated;
  KeyHerald herald_{room_, [this] { return key_since_; },
                    [this](const Order& order) -> Result<void> {
                      sent_.push_back(order);
                      return {};
                    },
                    clock_, Log::quiet()};
};

TEST_F(KeyHeraldTest, AnAgentThatObeysAnOlderKeyIsToldUntilItHasHeard) {
  tells("online", seconds_since_1970(rotated) - 1);
  pass(15s);
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].kind, order_kinds::key);
  EXPECT_EQ(sent_[0].site + "/" + sent_[0].agent, "hq/room1");
  EXPECT_EQ(sent_[0].body, "");
  pass(300s);
  ASSERT_GE(sent_.size(), 3u);
  EXPECT_LE(sent_.size(), 6u) << "ever more seldom";
  for (std::size_t i = 1; i < sent_.size(); ++i) EXPECT_GT(sent_[i].number, sent_[i - 1].number);
  tells("online", seconds_since_1970(rotated));
  const std::size_t count = sent_.size();
  pass(7200s);
  EXPECT_THAT(sent_, SizeIs(count));
}

TEST_F(KeyHeraldTest, ARotationIsToldToThoseWhoHadHeardTheKeyBefore) {
  tells("online", seconds_since_1970(rotated));
  pass(60s);
  EXPECT_THAT(sent_, IsEmpty());
  key_since_ = rotated + 30min;
  pass(12s);
  EXPECT_THAT(sent_, SizeIs(1));
}

TEST_F(KeyHeraldTest, NumbersGrowThoughTheClockGoesBack) {
  pass(10s);
  clock_.jump_wall(-2h);
  pass(40s);
  ASSERT_GE(sent_.size(), 2u);
  EXPECT_GT(sent_.back().number, sent_.front().number);
}

TEST_F(KeyHeraldTest, WhoIsAwayOrTakesNoOrdersIsNotTold) {
  FakeRoom others;
  KeyHerald herald{others, [] { return Result<Timestamp>{rotated}; },
                   [this](const Order& order) -> Result<void> {
                     sent_.push_back(order);
                     return {};
                   },
                   clock_, Log::quiet()};
  AgentView agent;
  agent.site = "hq";
  agent.agent = "room1";
  agent.state = "online";  // and has no challenge: not one of ours
  others.put(agent);
  others.put(FakeRoom::point("self", "orders.key_since", std::int64_t{0}));
  herald.look();
  agent.challenge = "abc";
  agent.state = "offline";
  others.put(agent);
  clock_.advance(1min);
  herald.look();
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(KeyHeraldTest, WithoutAKeyNothingIsSent) {
  key_since_ = fail(Errc::not_found, Retry::never, "there is no authority");
  pass(60s);
  EXPECT_THAT(sent_, IsEmpty());
}

}  // namespace
}  // namespace watchroom::aggregator
