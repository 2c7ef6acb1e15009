// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// The judge with its threads, on the real clock: what an order from outside becomes.
#include "agent/judge/local_judge.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/commands/scratch_folder.hpp"
#include "agent/judge/tested_judge.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A module of relays that does what it is told, or says nothing.
class RelayModule {
 public:
  void write(const PointWrite& write) {
    const std::int64_t code = std::get<std::int64_t>(write.value);
    {
      const std::lock_guard lock{mutex_};
      relays_[write.point] = code;
      ++writes_;
      changed_.notify_all();
      if (is_silent_) return;
    }
    write.done(WriteOutcome{"", TestedJudge::value(code), true});
  }
  void tell(const std::string& text) {
    const std::lock_guard lock{mutex_};
    told_ += text + "\n";
    changed_.notify_all();
  }
  void look_again() {
    const std::lock_guard lock{mutex_};
    changed_.notify_all();
  }
  void fall_silent() {
    const std::lock_guard lock{mutex_};
    is_silent_ = true;
  }
  /// What it was set to last; -1: not at all.
  std::int64_t relay(const std::string& point) const {
    const std::lock_guard lock{mutex_};
    const auto found = relays_.find(point);
    return found == relays_.end() ? -1 : found->second;
  }
  std::string told() const {
    const std::lock_guard lock{mutex_};
    return told_;
  }
  int writes() const {
    const std::lock_guard lock{mutex_};
    return writes_;
  }
  /// Waits until it is so.
  bool comes(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      std::unique_lock lock{mutex_};
      if (std::chrono::steady_clock::now() > until) return false;
      changed_.wait_for(lock, 5ms);
    }
    return true;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::int64_t> relays_;
  std::string told_;
  int writes_ = 0;
  bool is_silent_ = false;
};

class LocalJudgeOrders : public testing::Test {
 protected:
  ~LocalJudgeOrders() override {
    if (judge_) judge_->stop();
  }

  /// As a start of the agent; nothing of the one before but its folder.
  LocalJudge& start(const std::string& tables = relays) {
    if (judge_) judge_->stop();
    judge_ = std::make_unique<LocalJudge>(
        folder_.path(), clock_, Log::quiet(),
        LocalJudge::Outputs{[this](const PointWrite& write) { module_.write(write); },
                            [this](Timestamp, const std::string& text) { module_.tell(text); },
                            [this] { module_.look_again(); }, [] {}});
    judge_->configure(TestedJudge::read(tables), TestedJudge::devices());
    return *judge_;
  }
  void sees_relays(std::int64_t first, std::int64_t second) {
    PollResult polled;
    polled.device = 1;
    polled.communication = Communication::ok;
    polled.readings = {TestedJudge::value(first), TestedJudge::value(second)};
    judge_->take(polled);
  }
  static OutputOrder on(const std::string& output, std::chrono::seconds lasting = 600s) {
    return {output, OutputTarget::on, "li", 2s, lasting};
  }
  OutputFigures figures(std::size_t output) const {
    const JudgeFigures all = judge_->figures();
    return output < all.outputs.size() ? all.outputs[output] : OutputFigures{};
  }
  bool becomes(OutputProgress progress, std::size_t output = 0) {
    return module_.comes([&] { return figures(output).progress == progress; });
  }

  static constexpr std::size_t siren_ = 0, valve_ = 1;
  SystemClock clock_;
  ScratchFolder folder_;
  RelayModule module_;
  std::unique_ptr<LocalJudge> judge_;
};

TEST_F(LocalJudgeOrders, AreWrittenReadBackAndEndWithTheirTime) {
  start();
  ASSERT_TRUE(module_.comes([&] { return module_.relay("relay[1].state") == 0; })) << "as at its start";
  ASSERT_TRUE(judge_->order(7, on("siren", 2s)));
  ASSERT_TRUE(module_.comes([&] { return module_.relay("relay[1].state") == 1; }));
  ASSERT_TRUE(becomes(OutputProgress::done));
  EXPECT_EQ(figures(siren_).order, 7u);
  ASSERT_TRUE(becomes(OutputProgress::ended));
  ASSERT_TRUE(module_.comes([&] { return module_.relay("relay[1].state") == 0; }));
  ASSERT_TRUE(module_.comes([&] { return module_.told().find("has run out") != std::string::npos; }));
  EXPECT_THAT(module_.told(), HasSubstr("ordered by li (order 7), and read back"));
  EXPECT_EQ(module_.relay("relay[2].state"), -1) << "the other output was not touched";
}

TEST_F(LocalJudgeOrders, OneWhoseModuleIsSilentIsGivenUp) {
  start();
  ASSERT_TRUE(module_.comes([&] { return module_.writes() > 0; }));
  module_.fall_silent();
  ASSERT_TRUE(judge_->order(7, on("valve")));
  ASSERT_TRUE(becomes(OutputProgress::failed, valve_));
  ASSERT_TRUE(module_.comes([&] { return module_.told().find("is given up") != std::string::npos; }));
}

TEST_F(LocalJudgeOrders, WhatIsForbiddenIsRefusedWithItsReasonAndItsNumber) {
  start();
  EXPECT_THAT(judge_->order(6, on("bell")).error().text, HasSubstr("there is no output bell"));
  ASSERT_TRUE(judge_->inhibit("wang", "work", 60s));
  const auto refused = judge_->order(7, on("siren"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().text, HasSubstr("siren is inhibited by wang"));
  ASSERT_TRUE(module_.comes([&] { return figures(siren_).refused == 7u; }));
  EXPECT_EQ(figures(siren_).order, 0u);
  ASSERT_TRUE(judge_->end_inhibition("wang"));
  EXPECT_TRUE(judge_->order(8, on("siren")));
}

TEST_F(LocalJudgeOrders, ARestartHoldsNoneAndPutsBackWhatNothingElseSays) {
  start();
  sees_relays(0, 0);
  ASSERT_TRUE(judge_->order(7, on("valve")));
  ASSERT_TRUE(becomes(OutputProgress::done, valve_));
  ASSERT_EQ(module_.relay("relay[2].state"), 1);
  ASSERT_TRUE(judge_->kept(10s));
  start();
  ASSERT_TRUE(module_.comes([&] { return module_.relay("relay[2].state") == 0; }))
      << "off, as it was before it was ordered";
  EXPECT_EQ(figures(valve_).order, 0u);
}

TEST_F(LocalJudgeOrders, OtherSettingsWithoutTheOutputEndItAndPutItBackFirst) {
  start();
  sees_relays(0, 0);
  ASSERT_TRUE(judge_->order(7, on("valve")));
  ASSERT_TRUE(becomes(OutputProgress::done, valve_));
  const std::string siren_only = relays.substr(0, relays.rfind("[[output]]"));
  judge_->let_go(TestedJudge::read(siren_only));
  EXPECT_EQ(module_.relay("relay[2].state"), 0) << "it was waited for";
  EXPECT_EQ(figures(valve_).progress, OutputProgress::ended);
}

TEST_F(LocalJudgeOrders, WithoutOutputsAndAfterTheEndThereIsNobodyToTakeOne) {
  start("");
  EXPECT_EQ(judge_->order(7, on("siren")).error().code, Errc::not_found);
  start();
  judge_->stop();
  EXPECT_FALSE(judge_->order(7, on("siren")));
}

}  // namespace
}  // namespace watchroom::agent
