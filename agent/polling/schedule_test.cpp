// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/schedule.hpp"

#include <map>

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// A bus played on a fake clock: each device has an answer time, or a time-out when it is dead.
class PlayedBus {
 public:
  struct Played {
    milliseconds interval;
    milliseconds takes;
    bool is_alive = true;
  };
  explicit PlayedBus(std::vector<Played> devices)
      : devices_{std::move(devices)}, schedule_{intervals(), now()} {}

  /// Runs for `time`; counts how often each device was asked and its longest pause.
  void run(milliseconds time) {
    const Steady end = now() + time;
    while (now() < end) {
      const auto device = schedule_.next(now());
      if (!device) {
        const Steady wake = schedule_.wake_at(now());
        ASSERT_GT(wake, now()) << "would spin";
        clock_.advance(std::min(wake, end) - now());
        continue;
      }
      const Played& played = devices_[*device];
      const Steady began = now();
      if (last_asked.contains(*device))
        longest_pause[*device] = std::max(longest_pause[*device], began - last_asked[*device]);
      last_asked[*device] = began;
      ++asked[*device];
      clock_.advance(played.takes);
      schedule_.asked(*device, began, now(), played.is_alive);
    }
  }
  void hurry(std::size_t device) { schedule_.hurry(device, now()); }
  void revive(std::size_t device, milliseconds takes) {
    devices_[device] = {devices_[device].interval, takes, true};
  }

  std::map<std::size_t, int> asked;
  std::map<std::size_t, milliseconds> longest_pause;
  std::map<std::size_t, Steady> last_asked;

 private:
  std::vector<milliseconds> intervals() const {
    std::vector<milliseconds> all;
    for (const Played& one : devices_) all.push_back(one.interval);
    return all;
  }
  Steady now() const { return clock_.steady(); }

  FakeClock clock_;
  std::vector<Played> devices_;
  Schedule schedule_;
};

TEST(Schedule, AsksEachDeviceAtItsOwnPace) {
  PlayedBus bus{{{1s, 20ms}, {10s, 20ms}, {30s, 20ms}}};
  bus.run(60s);
  EXPECT_NEAR(bus.asked[0], 60, 1);
  EXPECT_NEAR(bus.asked[1], 6, 1);
  EXPECT_NEAR(bus.asked[2], 2, 1);
}

TEST(Schedule, TheShorterIntervalGoesFirstWhenAllAreDue) {
  const Steady start{};
  Schedule schedule{{30s, 1s, 10s}, start};
  EXPECT_EQ(schedule.next(start), 1u);
}

TEST(Schedule, KeepsTheRhythmThoughAnswersTakeTheirTime) {
  PlayedBus bus{{{1s, 300ms}}};
  bus.run(100s);
  EXPECT_NEAR(bus.asked[0], 100, 1);
}

TEST(Schedule, AsksAgainAtOnceWhoseAnswerTakesLongerThanItsInterval) {
  PlayedBus bus{{{1s, 2500ms}}};
  bus.run(30s);
  EXPECT_EQ(bus.asked[0], 12);  // the bus never rests
}

TEST(Schedule, DoesNotMakeUpForMissedTurns) {
  PlayedBus bus{{{1s, 20ms}, {60s, 5s}}};
  bus.run(60s);
  EXPECT_LE(bus.asked[0], 56);  // those that fell into the other's five seconds are gone
  EXPECT_GE(bus.asked[0], 55);
}

TEST(Schedule, AFullBusIsSharedByAllAlike) {
  PlayedBus bus{std::vector<PlayedBus::Played>(8, {100ms, 43ms})};
  bus.run(10s);  // each has been asked
  bus.asked.clear();
  bus.longest_pause.clear();
  bus.run(43s);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(bus.asked[i], 125, 2) << i;
    EXPECT_LE(bus.longest_pause[i], 9 * 43ms) << i;
  }
}

TEST(Schedule, ServesEverybodyOnAnOverloadedBus) {
  PlayedBus bus{{{1s, 400ms}, {1s, 400ms}, {1s, 400ms}, {1s, 400ms}}};
  bus.run(60s);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(bus.asked[i], 37, 8) << i;
}

TEST(Schedule, ADeadDeviceIsAskedLessAndLess) {
  PlayedBus bus{{{1s, 500ms, false}}};
  bus.run(30s);
  EXPECT_LE(bus.asked[0], 6);
  bus.run(120s);
  EXPECT_LE(bus.longest_pause[0], 31s);  // but at least every 30 s
  EXPECT_LE(bus.asked[0], 11);
}

TEST(Schedule, ADeadDeviceDoesNotSlowTheOthers) {
  PlayedBus bus{{{1s, 50ms}, {1s, 50ms}, {1s, 800ms, false}, {1s, 800ms, false}}};
  bus.run(120s);
  EXPECT_NEAR(bus.asked[0], 120, 3);
  EXPECT_LE(bus.longest_pause[0], 1900ms);  // a first time-out is not foreseen, later ones fill pauses
  EXPECT_GE(bus.asked[2], 4);
}

TEST(Schedule, ADeadDeviceIsProbedEvenWithoutAPauseLongEnough) {
  PlayedBus bus{{{500ms, 50ms}, {500ms, 50ms}, {1s, 1s, false}}};
  bus.run(120s);
  EXPECT_GE(bus.asked[2], 3);
  EXPECT_GE(bus.asked[0], 120 * 2 * 8 / 10);
}

TEST(Schedule, ManyDeadDevicesTakeOnlyASmallShareOfTheBus) {
  std::vector<PlayedBus::Played> devices{{500ms, 50ms}};
  for (int i = 0; i < 30; ++i) devices.push_back({1s, 1s, false});
  PlayedBus bus{devices};
  bus.run(70s);  // each has been asked once
  EXPECT_EQ(bus.asked.size(), devices.size());
  bus.asked.clear();
  bus.run(300s);
  EXPECT_GE(bus.asked[0], 600 * 7 / 10);
  EXPECT_EQ(bus.asked.size(), devices.size());
}

TEST(Schedule, DeadDevicesDoNotHoldUpTheLivingAtTheStart) {
  std::vector<PlayedBus::Played> devices{{500ms, 50ms}};
  for (int i = 0; i < 30; ++i) devices.push_back({1s, 1s, false});
  PlayedBus bus{devices};
  bus.run(60s);
  EXPECT_LE(bus.longest_pause[0], 1600ms);
}

TEST(Schedule, ALivingBusIsReadWholeAtOnceAtTheStart) {
  PlayedBus bus{std::vector<PlayedBus::Played>(20, {30s, 25ms})};
  bus.run(1200ms);
  EXPECT_EQ(bus.asked.size(), 20u);
}

TEST(Schedule, ADeviceThatIsBackKeepsItsPaceAgain) {
  PlayedBus bus{{{1s, 500ms, false}, {1s, 20ms}}};
  bus.run(60s);
  bus.revive(0, 20ms);
  bus.run(31s);
  bus.asked.clear();
  bus.run(30s);
  EXPECT_NEAR(bus.asked[0], 30, 1);
}

TEST(Schedule, AHurriedDeviceIsAskedAtOnceAndKeepsItsRhythm) {
  PlayedBus bus{{{10s, 20ms}, {10s, 20ms}}};
  bus.run(4s);
  bus.hurry(0);
  bus.run(1s);
  EXPECT_EQ(bus.asked[0], 2);
  bus.run(6s);
  EXPECT_EQ(bus.asked[0], 3);  // at 10 s, as if nothing had been
  bus.run(8s);
  EXPECT_EQ(bus.asked[0], 3);
  EXPECT_EQ(bus.asked[1], 2);
}

TEST(Schedule, AStormOfHurriesCostsOneExtraTurnASecond) {
  PlayedBus bus{{{60s, 20ms}, {1s, 20ms}}};
  bus.run(1s);
  for (int i = 0; i < 1000; ++i) {
    bus.hurry(0);
    bus.run(10ms);
  }
  EXPECT_NEAR(bus.asked[0], 11, 1);
  EXPECT_NEAR(bus.asked[1], 11, 1);
}

TEST(Schedule, AHurryWhileItIsAskedCountsForOnceMore) {
  const Steady start{1000h};
  Schedule schedule{{60s}, start};
  ASSERT_EQ(schedule.next(start), 0u);
  schedule.hurry(0, start + 10ms);
  schedule.asked(0, start, start + 20ms, true);
  EXPECT_EQ(schedule.next(start + 20ms), 0u);
  schedule.asked(0, start + 20ms, start + 40ms, true);
  EXPECT_EQ(schedule.next(start + 59s), std::nullopt);
  EXPECT_EQ(schedule.wake_at(start + 59s), start + 60s);
}

TEST(Schedule, AHurriedDeadDeviceIsProbedSoonButStillForAShareOfTheBus) {
  PlayedBus bus{{{500ms, 50ms}, {1s, 1s, false}}};
  bus.run(120s);
  bus.asked.clear();
  bus.hurry(1);
  bus.run(1s);
  EXPECT_EQ(bus.asked[1], 1);
  bus.asked.clear();
  for (int i = 0; i < 1000; ++i) {
    bus.hurry(1);
    bus.run(100ms);
  }
  EXPECT_LE(bus.asked[1], 25);  // the last probes of the 100 s run on a while
  EXPECT_GE(bus.asked[0], 200 * 7 / 10);
}

TEST(Schedule, AWallClockThatJumpsChangesNothing) {
  FakeClock clock;
  Schedule schedule{{1s}, clock.steady()};
  schedule.asked(0, clock.steady(), clock.steady(), true);
  clock.jump_wall(-24h);
  EXPECT_FALSE(schedule.next(clock.steady()));
  clock.advance(1s);
  EXPECT_EQ(schedule.next(clock.steady()), 0u);
}

}  // namespace
}  // namespace watchroom::agent
