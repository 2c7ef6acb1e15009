// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/topic.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

TEST(Topic, ReadsBackWhatItWrote) {
  const Topic topic{"hq", Verb::ddata, "room1", "leak1"};
  EXPECT_EQ(topic.str(), "spBv1.0/hq/DDATA/room1/leak1");
  EXPECT_EQ(Topic::parse(topic.str()), topic);
}

TEST(Topic, RefusesOtherShapes) {
  for (const auto* text : {"", "spBv1.0/hq/DDATA/room1", "spBv1.0/hq/NDATA/room1/leak1",
                           "spAv1.0/hq/NDATA/room1", "spBv1.0/hq/XDATA/room1", "spBv1.0//NDATA/room1",
                           "spBv1.0/hq/DDATA/room1/a/b", "spBv1.0/hq/DDATA/room1/"})
    EXPECT_FALSE(Topic::parse(text)) << text;
}

TEST(HostState, ReadsTheSpecificationsForm) {
  const auto state = HostState::parse(HostState{true, 1'800'000'000'000}.str());
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->online);
  EXPECT_EQ(state->timestamp_ms, 1'800'000'000'000);
  for (const auto* text : {"", "OFFLINE", "{}", R"({"online":1,"timestamp":2})", R"({"online":true})"})
    EXPECT_FALSE(HostState::parse(text)) << text;
}

TEST(HostState, KnowsItsTopic) {
  EXPECT_EQ(host_of_state_topic(state_topic("watchroom")), "watchroom");
  EXPECT_FALSE(host_of_state_topic("spBv1.0/STATE/a/b"));
}

TEST(HostId, IsOneTopicLevelAndOneWord) {
  for (const char* good : {"watchroom", "scada-1", "中心"}) EXPECT_TRUE(is_valid_host_id(good)) << good;
  for (const char* bad : {"", "a/b", "#", "+", "a b", "a\t"}) EXPECT_FALSE(is_valid_host_id(bad)) << bad;
}

}  // namespace
}  // namespace watchroom
