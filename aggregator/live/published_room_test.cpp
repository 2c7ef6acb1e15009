// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/live/published_room.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace watchroom::aggregator {
namespace {

AlarmView alarm(std::int64_t id, AlarmLifeCycle state) {
  AlarmView view;
  view.id = id;
  view.state = state;
  return view;
}

TEST(PublishedRoom, AnOldAlarmThatCloseIsSeenToGoThoughManyNewerOnesClosedBefore) {
  std::string name = ::testing::TempDir() + "room-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  ASSERT_TRUE(Store::open(folder));
  PublishedRoom room{*StoreReader::open(folder), nullptr};
  room.publish(
      {.points = {}, .agents = {}, .alarms = {alarm(1, AlarmLifeCycle::unacknowledged)}, .status = {}});
  for (std::int64_t id = 2; id <= 300; ++id)
    room.publish({.points = {}, .agents = {}, .alarms = {alarm(id, AlarmLifeCycle::normal)}, .status = {}});
  const auto seen = room.version();
  room.publish({.points = {}, .agents = {}, .alarms = {alarm(1, AlarmLifeCycle::normal)}, .status = {}});
  const auto news = room.alarms(seen);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].id, 1);
  EXPECT_EQ(news[0].state, AlarmLifeCycle::normal);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace watchroom::aggregator
