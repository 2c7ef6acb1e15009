// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/pool_schedule.hpp"

#include <limits>
#include <map>

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Workers on a fake clock: each device takes its time, and is silent or not.
class PlayedPool {
 public:
  PlayedPool(std::size_t devices, milliseconds interval, int workers)
      : PlayedPool{std::vector<milliseconds>(devices, interval), workers} {}
  PlayedPool(const std::vector<milliseconds>& intervals, int workers)
      : free_{workers}, schedule_{intervals, workers, now()} {}

  milliseconds takes(std::size_t device) const { return is_dead(device) ? 2000ms : 10ms; }
  bool is_dead(std::size_t device) const {
    return device >= dead_from || (dead_every > 0 && device % dead_every == 0);
  }
  /// How long ago the device was last given a turn.
  milliseconds pause_of(std::size_t device) const { return now() - last_asked.at(device); }

  void run(milliseconds time) {
    const Steady end = now() + time;
    while (now() < end) {
      finish_due();
      while (free_ > 0) {
        const auto device = schedule_.next(now());
        if (!device) break;
        --free_;
        busy_.emplace(now() + takes(*device), *device);
        if (last_asked.contains(*device) && !is_dead(*device)) {
          const milliseconds pause = now() - last_asked[*device];
          longest_pause = std::max(longest_pause, pause);
          longest_pauses[*device] = std::max(longest_pauses[*device], pause);
        }
        last_asked[*device] = now();
        ++asked[*device];
      }
      Steady wake = end;
      if (!busy_.empty()) wake = std::min(wake, busy_.begin()->first);
      if (free_ > 0) wake = std::min(wake, schedule_.wake_at(now()));
      clock_ += std::max<milliseconds>(wake - now(), 1ms);
    }
  }

  void hurry(std::size_t device) { schedule_.hurry(device, now()); }

  std::size_t dead_every = 0;
  std::size_t dead_from = std::numeric_limits<std::size_t>::max();
  std::map<std::size_t, int> asked;
  std::map<std::size_t, Steady> last_asked;
  milliseconds longest_pause{};
  std::map<std::size_t, milliseconds> longest_pauses;

 private:
  Steady now() const { return clock_; }
  void finish_due() {
    while (!busy_.empty() && busy_.begin()->first <= now()) {
      const std::size_t device = busy_.begin()->second;
      schedule_.asked(device, last_asked[device], busy_.begin()->first, !is_dead(device));
      busy_.erase(busy_.begin());
      ++free_;
    }
  }
  Steady clock_{1000h};
  int free_;
  std::multimap<Steady, std::size_t> busy_;
  PoolSchedule schedule_;
};

TEST(PoolSchedule, AsksEveryoneAtOnceAndThenInItsRhythm) {
  PlayedPool pool{1000, 60s, 8};
  pool.run(5s);
  EXPECT_EQ(pool.asked.size(), 1000u);
  pool.run(10min);
  for (const auto& [device, times] : pool.asked) EXPECT_NEAR(times, 11, 1) << device;
  EXPECT_LE(pool.longest_pause, 61s);
}

TEST(PoolSchedule, TheDeadDoNotDelayTheLiving) {
  PlayedPool pool{1000, 60s, 8};
  pool.dead_every = 4;
  pool.run(15min);
  EXPECT_LE(pool.longest_pause, 61s);
  EXPECT_GE(pool.asked[0], 3);
}

TEST(PoolSchedule, ManyThatFallSilentAtOnceDoNotDelayTheQuickOneThatLives) {
  for (const int workers : {4, 8, 64}) {
    std::vector<milliseconds> intervals(80, 5s);
    intervals[0] = 1s;
    PlayedPool pool{intervals, workers};
    pool.run(60s);
    pool.longest_pauses.clear();
    pool.dead_from = 1;
    pool.run(2min);
    EXPECT_LE(pool.longest_pauses[0], 1200ms) << workers << " workers";
  }
}

TEST(PoolSchedule, OfManyOfOnePaceTheLivingIsFoundAmongThoseThatFellSilent) {
  PlayedPool pool{80, 1s, 8};
  pool.run(60s);
  pool.longest_pauses.clear();
  pool.dead_from = 1;
  pool.run(2min);
  EXPECT_LE(pool.longest_pauses[0], 25s);  // once, until it has answered again
  pool.longest_pauses.clear();
  pool.run(1min);
  EXPECT_LE(pool.longest_pauses[0], 1200ms);
}

TEST(PoolSchedule, WhoIsLateByHisOwnPaceGoesFirst) {
  const Steady start{1000h};
  PoolSchedule schedule{{60s, 60s, 1s}, 4, start};
  for (int i = 0; i < 3; ++i) {
    const std::size_t device = schedule.next(start).value();
    schedule.asked(device, start, start + 1ms, true);
  }
  ASSERT_EQ(schedule.next(start + 44s), 2u);
  schedule.asked(2, start + 44s, start + 44s + 1ms, true);
  // The others have been due for longer, but one of these can wait least.
  EXPECT_EQ(schedule.next(start + 45s), 2u);
}

TEST(PoolSchedule, ASlowDeviceIsAskedByOneWorkerAndAQuickOneByAnother) {
  const Steady start{1000h};
  PoolSchedule schedule{{1s, 1s, 1s}, 4, start};
  for (const std::size_t device : {0u, 1u, 2u}) {
    ASSERT_EQ(schedule.next(start), device);
    schedule.asked(device, start, start + (device == 1 ? 1000ms : 5ms), true);
  }
  EXPECT_EQ(schedule.next_several(start + 3s, 64), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(schedule.next_several(start + 3s, 64), std::vector<std::size_t>{1});
}

TEST(PoolSchedule, SlowDevicesLeaveAWorkerToTheQuickOnes) {
  const Steady start{1000h};
  PoolSchedule schedule{std::vector<milliseconds>(6, 1s), 4, start};
  for (std::size_t device = 0; device < 6; ++device) {
    ASSERT_EQ(schedule.next(start), device);
    schedule.asked(device, start, start + (device < 5 ? 1000ms : 5ms), true);
  }
  const Steady then = start + 3s;
  std::size_t given = 0;
  while (schedule.next(then)) ++given;
  EXPECT_EQ(given, 3 + 1);
}

TEST(PoolSchedule, AHurriedDeviceIsNextWhateverItsRhythm) {
  const Steady start{1000h};
  PoolSchedule schedule{{60s, 60s}, 2, start};
  for (const std::size_t device : {0u, 1u}) {
    ASSERT_EQ(schedule.next(start), device);
    schedule.asked(device, start, start + 1ms, true);
  }
  EXPECT_EQ(schedule.next(start + 1s), std::nullopt);
  schedule.hurry(0, start + 1s);
  EXPECT_EQ(schedule.next(start + 1s), 0u);
  schedule.hurry(0, start + 1s);  // it is being asked: once more afterwards, but not at once again
  EXPECT_EQ(schedule.next(start + 1s), std::nullopt);
  schedule.asked(0, start + 1s, start + 1100ms, true);
  EXPECT_EQ(schedule.next(start + 1100ms), std::nullopt);
  EXPECT_EQ(schedule.wake_at(start + 1100ms), start + 2s);
  EXPECT_EQ(schedule.next(start + 2s), 0u);
}

TEST(PoolSchedule, AStormOfHurriesCostsOneExtraTurnASecondAndTheRhythmStays) {
  PlayedPool pool{10, 60s, 2};
  pool.run(61s);
  pool.asked.clear();
  for (int i = 0; i < 10'000; ++i) {
    for (int n = 0; n < 10; ++n) pool.hurry(3);
    pool.run(1ms);
  }
  EXPECT_NEAR(pool.asked[3], 10, 2);
  pool.run(50s);
  pool.asked.erase(3);
  for (const auto& [device, times] : pool.asked) EXPECT_NEAR(times, 1, 1) << device;
  EXPECT_LE(pool.longest_pause, 61s);
}

TEST(PoolSchedule, ADeviceAskedOutOfTurnIsAskedAgainWhenItWasDue) {
  const Steady start{1000h};
  PoolSchedule schedule{{60s}, 2, start};
  ASSERT_EQ(schedule.next(start), 0u);
  schedule.asked(0, start, start + 1ms, true);
  schedule.hurry(0, start + 50s);
  ASSERT_EQ(schedule.next(start + 50s), 0u);
  schedule.asked(0, start + 50s, start + 51s, true);
  EXPECT_EQ(schedule.wake_at(start + 51s), start + 60s);
}

}  // namespace
}  // namespace watchroom::agent
