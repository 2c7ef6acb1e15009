// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/self_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/journal/scratch_folder.hpp"
#include "agent/self/http_peer.hpp"
#include "agent/self/notify_peer.hpp"
#include "agent/self/tested_figures.hpp"
#include "proto/base/mailbox.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// A whole watch on real time, with a core and a bus whose figures the test sets.
class SelfWatchTest : public testing::Test {
 protected:
  SelfWatchTest() { core_.connected_since = clock_.steady(); }

  void start(bool has_metrics = true) {
    SelfWatchSettings settings;
    settings.files = {folder_.path(), "/none/ca.pem", "/none/agent.pem"};
    settings.device = 3;
    if (has_metrics) settings.metrics = ListenAddress{"127.0.0.1", port_};
    notifier_.reset(new Notifier(Notifier::from_environment()));  // it cannot be moved
    watch_ = std::make_unique<SelfWatch>(
        settings, SelfSources{[this] { return board_.take(); }, [this] { return core(); }},
        [this](PollResult polled) { delivered_.put(std::move(polled)); }, *notifier_, clock_, Log::quiet());
    watch_->start();
  }
  CoreFigures core() {
    const std::lock_guard lock{mutex_};
    return core_;
  }
  void core_is_stuck(bool is_stuck) {
    const std::lock_guard lock{mutex_};
    core_.back_by = is_stuck ? clock_.steady() - 5s : Steady::max();
  }
  std::string ask(const std::string& path) const {
    return ask_with_curl(fmt::format("http://127.0.0.1:{}{}", port_, path));
  }

  ScratchFolder folder_;
  NotifyPeer manager_{(folder_.path() / "notify").string()};
  const SystemClock clock_;
  int port_ = TakenPort::a_free_one();
  BusBoard board_;
  std::mutex mutex_;
  CoreFigures core_;
  Mailbox<PollResult> delivered_{100};
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<SelfWatch> watch_;
};

TEST_F(SelfWatchTest, PollsTheSelfDeviceFromTheStart) {
  start(false);
  const auto polled = delivered_.take(1, std::chrono::steady_clock::now() + 5s);
  ASSERT_EQ(polled.size(), 1u);
  EXPECT_EQ(polled[0].device, 3u);
  ASSERT_TRUE(polled[0].description);
  EXPECT_EQ(polled[0].description->points.size(), polled[0].readings.size());
  watch_->stop();
  EXPECT_TRUE(delivered_.take(1, std::chrono::steady_clock::now()).empty());
}

TEST_F(SelfWatchTest, AReloadMovesTheDeviceWithoutAMixUp) {
  start(false);
  ASSERT_EQ(delivered_.take(1, std::chrono::steady_clock::now() + 5s).at(0).device, 3u);
  bool was_changed = false;
  watch_->reconfigure(7, true, [&] {
    EXPECT_TRUE(delivered_.take(1, std::chrono::steady_clock::now() + 50ms).empty());
    was_changed = true;
  });
  EXPECT_TRUE(was_changed);
  const auto polled = delivered_.take(1, std::chrono::steady_clock::now() + 5s);
  ASSERT_EQ(polled.size(), 1u) << "at once";
  EXPECT_EQ(polled[0].device, 7u);
  EXPECT_TRUE(polled[0].description) << "the core forgot it";
}

TEST_F(SelfWatchTest, ServesMetricsAndHealth) {
  const auto bus = board_.add("/dev/ttyS1", 2, 1);
  start();
  EXPECT_THAT(ask("/metrics"),
              HasSubstr("watchroom_agent_bus_devices{bus=\"/dev/ttyS1\",state=\"not_asked\"} 2\n"));
  const std::string health = ask("/healthz");
  EXPECT_THAT(health, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(health, HasSubstr("the client certificate cannot be read\n"));
  core_is_stuck(true);
  EXPECT_THAT(ask("/healthz"), HasSubstr("the core thread should have come by 5 s ago"));
}

TEST_F(SelfWatchTest, APortThatIsTakenCostsNothingButTheMetrics) {
  const TakenPort taken;
  port_ = taken.port();
  start();
  EXPECT_EQ(delivered_.take(1, std::chrono::steady_clock::now() + 5s).size(), 1u);
}

TEST_F(SelfWatchTest, PingsTheWatchdogOnlyWhileNobodyIsMissing) {
  ::setenv("WATCHDOG_USEC", "200000", 1);  // a ping each 100 ms
  start(false);
  const auto next_ping = [&] {
    while (true) {
      const std::string told = manager_.next();
      if (told.empty() || told == "WATCHDOG=1") return told;
      EXPECT_THAT(told, StartsWith("STATUS="));
    }
  };
  const Steady began = clock_.steady();
  for (int i = 0; i < 6; ++i) ASSERT_EQ(next_ping(), "WATCHDOG=1");
  EXPECT_GE(clock_.steady() - began, 450ms) << "no more often than it must";

  core_is_stuck(true);
  const Steady stuck = clock_.steady();
  const auto passed = [&](std::chrono::milliseconds time) { return clock_.steady() - stuck >= time; };
  while (!passed(150ms)) std::this_thread::yield();  // one may have been on its way
  while (!manager_.is_quiet()) manager_.next();
  while (!passed(800ms)) {
    ASSERT_TRUE(manager_.is_quiet()) << manager_.next() << " though the core is stuck";
    std::this_thread::yield();
  }
  core_is_stuck(false);
  EXPECT_EQ(next_ping(), "WATCHDOG=1");
}

TEST_F(SelfWatchTest, TellsTheManagerWhatIsWrong) {
  start(false);
  std::string told = manager_.next();
  if (told == "WATCHDOG=1") told = manager_.next();
  EXPECT_EQ(told, "STATUS=the client certificate cannot be read; the ca certificate cannot be read");
}

}  // namespace
}  // namespace watchroom::agent
