// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/rules/phase.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

using namespace std::chrono_literals;

/// Plays verdicts to one rule and returns its phase after each, so that a test reads as a timeline.
class Rule {
 public:
  explicit Rule(Delays delays) : delays_{delays} {}
  Phase sees(Verdict verdict, std::chrono::seconds at) {
    return (state_ = step(delays_, state_, verdict, Timestamp{at})).phase;
  }
  Phase waits_until(std::chrono::seconds at) { return (state_ = tick(delays_, state_, Timestamp{at})).phase; }
  std::optional<Timestamp> next() const { return deadline(delays_, state_); }

 private:
  Delays delays_;
  PhaseState state_;
};

TEST(Phase, RaisesOnceTheConditionHasLasted) {
  Rule rule{{.on = 30s}};
  EXPECT_EQ(rule.sees(Verdict::holds, 10s), Phase::pending);
  EXPECT_EQ(rule.sees(Verdict::holds, 39s), Phase::pending);
  EXPECT_EQ(rule.sees(Verdict::holds, 40s), Phase::raised);
}

TEST(Phase, OneReadingThenSilenceRaisesWhenTheDelayEnds) {
  Rule rule{{.on = 30s}};
  rule.sees(Verdict::holds, 10s);
  EXPECT_EQ(rule.next(), Timestamp{40s});
  EXPECT_EQ(rule.waits_until(39s), Phase::pending);
  EXPECT_EQ(rule.waits_until(40s), Phase::raised);
  EXPECT_FALSE(rule.next());
}

TEST(Phase, WithoutDelayRaisesAndClearsAtOnce) {
  Rule rule{{}};
  EXPECT_EQ(rule.sees(Verdict::holds, 1s), Phase::raised);
  EXPECT_EQ(rule.sees(Verdict::gone, 2s), Phase::normal);
}

TEST(Phase, ForgetsAnExcursionShorterThanTheDelay) {
  Rule rule{{.on = 30s}};
  rule.sees(Verdict::holds, 0s);
  EXPECT_EQ(rule.sees(Verdict::between, 29s), Phase::normal);
  EXPECT_EQ(rule.sees(Verdict::holds, 30s), Phase::pending);  // the delay starts anew
}

TEST(Phase, StaysRaisedInsideTheHysteresisBand) {
  Rule rule{{}};
  rule.sees(Verdict::holds, 0s);
  EXPECT_EQ(rule.sees(Verdict::between, 60s), Phase::raised);
  EXPECT_EQ(rule.sees(Verdict::gone, 70s), Phase::normal);
}

TEST(Phase, LosingTheSensorDoesNotClearTheAlarm) {
  Rule rule{{.off = 10s}};
  rule.sees(Verdict::holds, 0s);
  EXPECT_EQ(rule.sees(Verdict::unknown, 60s), Phase::raised);
}

TEST(Phase, LosingTheSensorStopsTheClearing) {
  Rule rule{{.off = 10s}};
  rule.sees(Verdict::holds, 0s);
  EXPECT_EQ(rule.sees(Verdict::gone, 5s), Phase::clearing);
  EXPECT_EQ(rule.sees(Verdict::unknown, 9s), Phase::raised);
  EXPECT_EQ(rule.waits_until(60s), Phase::raised);
  EXPECT_EQ(rule.sees(Verdict::gone, 61s), Phase::clearing);
  EXPECT_EQ(rule.waits_until(71s), Phase::normal);
}

TEST(Phase, LosingTheSensorWhilePendingStillRaises) {
  Rule rule{{.on = 30s}};
  rule.sees(Verdict::holds, 0s);
  EXPECT_EQ(rule.sees(Verdict::unknown, 10s), Phase::pending);
  EXPECT_EQ(rule.waits_until(30s), Phase::raised);
}

}  // namespace
}  // namespace watchroom
