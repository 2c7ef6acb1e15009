// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

/// An agent whose clock was never set: it says so with each reading.
class UnsureClock : public CoreTest {
 protected:
  void tells(double value, Timestamp at, bool is_historical, bool is_unsure = true) {
    Payload payload;
    payload.seq = seq++;
    payload.metrics = {{.name = "ambient.temperature",
                        .at = at,
                        .value = value,
                        .is_historical = is_historical,
                        .is_clock_unsure = is_unsure}};
    payload.journal = JournalStamp{{9}, ++record, 1};
    receive("spBv1.0/hq/DDATA/room1/th1", payload);
  }
  std::vector<SampleView> samples() const {
    return *room->samples("hq/room1/th1/ambient.temperature", Timestamp{}, 100);
  }
  const Timestamp long_ago{1'000s};
};

TEST_F(UnsureClock, DoesNotSilenceTheRoom) {
  be_born();
  tells(31.0, long_ago, false);
  EXPECT_EQ(temperature().quality, "clock_unsure");
  EXPECT_EQ(temperature().value, Value{31.0});
  EXPECT_EQ(temperature().taken_at, clock.now());
  EXPECT_THAT(temperature().quality_reason_zh, HasSubstr("时钟不可信"));
  pass(30s);
  ASSERT_EQ(subjects().size(), 1u);
  EXPECT_THAT(subjects()[0], HasSubstr("过热"));
  tells(22.0, long_ago, false);
  EXPECT_EQ(subjects().size(), 2u) << "and it clears as usual";
}

TEST_F(UnsureClock, IsKeptWithTheReading) {
  be_born();
  tells(31.0, long_ago, false);
  ASSERT_EQ(samples().size(), 1u);
  EXPECT_TRUE(samples()[0].is_clock_unsure);
  EXPECT_EQ(samples()[0].quality, Quality::good);
  EXPECT_EQ(samples()[0].taken_at, clock.now());
  const Timestamp taken_at = clock.now();
  pass(2s);
  restart();
  EXPECT_EQ(number_of(temperature().last_value.value()), 31.0);
  EXPECT_EQ(temperature().last_value_at, taken_at);
}

TEST_F(UnsureClock, OfAStaleReadingMakesNothingGood) {
  be_born();
  Payload payload;
  payload.seq = seq++;
  payload.metrics = {
      {.name = "ambient.temperature", .at = long_ago, .quality = Quality::stale, .is_clock_unsure = true}};
  receive("spBv1.0/hq/DDATA/room1/th1", payload);
  EXPECT_EQ(temperature().quality, "stale");
  EXPECT_FALSE(temperature().value);
}

TEST_F(UnsureClock, InABacklogKeepsTheOrderOfItsRecords) {
  be_born();
  tells(20.0, clock.now(), false, false);
  const Timestamp before = clock.now();
  pass(5s);
  happen(Disconnected{"cut"});
  pass(600s);
  be_connected(2, 2000);
  be_born();
  tells(25.0, long_ago, false);  // what is live comes first
  tells(21.0, long_ago, true);
  tells(22.0, before + 100s, true);
  tells(23.0, long_ago + 1s, true);
  tells(24.0, clock.now() + 24h, true);
  std::vector<double> values;
  std::optional<Timestamp> previous;
  for (const SampleView& sample : samples()) {
    values.push_back(number_of(*sample.value).value());
    EXPECT_GE(sample.taken_at, before);
    EXPECT_LE(sample.taken_at, clock.now());
    EXPECT_GE(sample.taken_at, previous.value_or(sample.taken_at));
    previous = sample.taken_at;
  }
  EXPECT_THAT(values, ::testing::ElementsAre(20, 21, 22, 23, ::testing::_, ::testing::_));
  EXPECT_EQ(number_of(temperature().value.value()), 25.0) << "a backlog does not undo what is known";
}

TEST_F(UnsureClock, StillTellsWhatCameAndWentUnheard) {
  be_born();
  tells(20.0, clock.now(), false, false);
  happen(Disconnected{"cut"});
  pass(600s);
  be_connected(2, 2000);
  be_born();
  const std::size_t before = subjects().size();
  tells(31.0, clock.now() - 500s, true);
  tells(31.0, clock.now() - 400s, true);
  tells(22.0, clock.now() - 300s, true);
  ASSERT_EQ(subjects().size(), before + 1);
}

TEST_F(UnsureClock, LeavesOtherReadingsAsTheyWere) {
  be_born();
  tells(20.0, clock.now() - 3s, false, false);
  EXPECT_EQ(temperature().quality, "good");
  EXPECT_EQ(temperature().taken_at, clock.now() - 3s);
}

/// With the built-in rules.
class UnsureClockAlarm : public UnsureClock {
 protected:
  UnsureClockAlarm() {
    Problems problems;
    rules = load_rules({}, problems);
    restart();
  }
  std::vector<std::string> alarms() const {
    std::vector<std::string> ids;
    for (const AlarmView& alarm : room->alarms(0))
      if (alarm.is_active) ids.push_back(alarm.rule);
    return ids;
  }
};

TEST_F(UnsureClockAlarm, IsRaisedOnceItLastsAndOverWithTheFirstSureReading) {
  be_born();
  for (int i = 0; i < 29; ++i) {
    tells(20.0, long_ago, false);
    pass(20s);
  }
  EXPECT_TRUE(alarms().empty());
  tells(20.0, long_ago, false);
  pass(25s);
  EXPECT_THAT(alarms(), ::testing::ElementsAre("clock-unsure"));
  tells(20.0, clock.now(), false, false);
  EXPECT_TRUE(alarms().empty());
}

}  // namespace
}  // namespace watchroom::aggregator
