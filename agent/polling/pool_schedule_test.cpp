// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/pool_schedule.hpp"

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
      : free_{workers}, schedule_{std::vector<milliseconds>(devices, interval), workers, now()} {}

  milliseconds takes(std::size_t device) const { return is_dead(device) ? 2000ms : 10ms; }
  bool is_dead(std::size_t device) const { return dead_every > 0 && device % dead_every == 0; }

  void run(milliseconds time) {
    const Steady end = now() + time;
    while (now() < end) {
      finish_due();
      while (free_ > 0) {
        const auto device = schedule_.next(now());
        if (!device) break;
        --free_;
        busy_.emplace(now() + takes(*device), *device);
        if (last_asked.contains(*device) && !is_dead(*device))
          longest_pause = std::max(longest_pause, now() - last_asked[*device]);
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
  std::map<std::size_t, int> asked;
  std::map<std::size_t, Steady> last_asked;
  milliseconds longest_pause{};

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
