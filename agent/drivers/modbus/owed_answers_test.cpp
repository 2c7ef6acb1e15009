// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/owed_answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Pdu = OwedAnswers::Pdu;
using Settles = OwedAnswers::Settles;
using Instant = OwedAnswers::Instant;

constexpr auto timeout = 500ms;
Instant at(std::chrono::milliseconds time) { return Instant{1h} + time; }

Pdu read(std::uint8_t address, std::uint8_t count) { return {3, 0, address, 0, count}; }
Pdu answer(std::uint8_t count) {
  Pdu pdu(2u + 2u * count);
  pdu[0] = 3;
  pdu[1] = static_cast<std::uint8_t>(2 * count);
  return pdu;
}

TEST(OwedAnswers, OneOfTheSameLengthCouldBeMistakenUntilItCame) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  EXPECT_TRUE(owed.may_be_mistaken(1, read(50, 2), at(500ms)));
  EXPECT_FALSE(owed.may_be_mistaken(1, read(50, 3), at(500ms)));
  EXPECT_FALSE(owed.may_be_mistaken(1, read(20, 2), at(500ms)));  // the same again
  EXPECT_FALSE(owed.may_be_mistaken(2, read(50, 2), at(500ms)));
  EXPECT_EQ(owed.answered(1, answer(2), at(650ms)), Settles::newest_question);
  EXPECT_FALSE(owed.may_be_mistaken(1, read(50, 2), at(650ms)));
}

TEST(OwedAnswers, ARepeatLeavesOneOwed) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  owed.asked(1, read(20, 2), timeout, at(500ms));
  EXPECT_EQ(owed.answered(1, answer(2), at(650ms)), Settles::newest_question);
  EXPECT_TRUE(owed.may_be_mistaken(1, read(50, 2), at(650ms)));
  EXPECT_EQ(owed.answered(1, answer(2), at(1300ms)), Settles::newest_question);
  EXPECT_FALSE(owed.may_be_mistaken(1, read(50, 2), at(1300ms)));
}

TEST(OwedAnswers, AnAnswerSettlesWhatWasAskedBefore) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  owed.asked(1, read(20, 2), timeout, at(500ms));
  owed.asked(1, read(20, 1), timeout, at(600ms));
  EXPECT_EQ(owed.answered(1, answer(1), at(700ms)), Settles::newest_question);
  EXPECT_FALSE(owed.may_be_mistaken(1, read(50, 2), at(700ms)));
}

TEST(OwedAnswers, WhatWasAskedAgainIsOwedBehindWhatWasAskedBetween) {
  OwedAnswers owed;
  owed.asked(1, read(20, 1), timeout, at(0ms));
  owed.asked(1, read(20, 2), timeout, at(500ms));
  owed.asked(1, read(20, 1), timeout, at(1000ms));
  EXPECT_EQ(owed.answered(1, answer(1), at(1010ms)), Settles::newest_question);
  EXPECT_EQ(owed.answered(1, answer(2), at(1020ms)), Settles::earlier_question);
  EXPECT_TRUE(owed.may_be_mistaken(1, read(50, 1), at(1020ms)));
}

TEST(OwedAnswers, ARefusalIsTakenForThatOfTheFirstQuestionItMayBelongTo) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  owed.asked(1, read(50, 3), timeout, at(500ms));
  EXPECT_EQ(owed.answered(1, Pdu{0x83, 2}, at(600ms)), Settles::earlier_question);
  EXPECT_EQ(owed.answered(1, Pdu{0x83, 2}, at(700ms)), Settles::newest_question);
}

TEST(OwedAnswers, AFrameWithABadChecksumSettlesItsQuestion) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  EXPECT_EQ(owed.answered_badly(1, 4, at(5ms)), Settles::nothing);
  EXPECT_EQ(owed.answered_badly(1, 3, at(5ms)), Settles::newest_question);
  EXPECT_FALSE(owed.may_be_mistaken(1, read(50, 2), at(5ms)));
}

TEST(OwedAnswers, AFrameWithABadChecksumThatMayBelongToSeveralSettlesNone) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  owed.asked(1, read(50, 3), timeout, at(500ms));
  EXPECT_EQ(owed.answered_badly(1, 3, at(510ms)), Settles::nothing);
  EXPECT_EQ(owed.answered(1, answer(3), at(520ms)), Settles::newest_question);
}

TEST(OwedAnswers, AWriteIsNotEvenConfirmedByThatOfTheSame) {
  const Pdu on{5, 0, 1, 0xff, 0};
  OwedAnswers owed;
  owed.asked(1, on, timeout, at(0ms));
  EXPECT_TRUE(owed.may_be_mistaken(1, on, at(500ms)));
  EXPECT_FALSE(owed.may_be_mistaken(1, read(1, 1), at(500ms)));
}

TEST(OwedAnswers, ATellingQuestionIsOneThatWasAnsweredElseAShorterElseALongerOne) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  EXPECT_EQ(owed.telling_question(1, read(50, 2)), read(50, 1));
  owed.asked(1, read(50, 1), timeout, at(500ms));
  EXPECT_EQ(owed.telling_question(1, read(60, 2)), read(60, 4));
  EXPECT_EQ(owed.telling_question(1, read(60, 1)), read(60, 3));
  owed.asked(2, read(7, 5), timeout, at(0ms));
  owed.answered(2, answer(5), at(10ms));
  owed.asked(2, read(20, 2), timeout, at(20ms));
  EXPECT_EQ(owed.telling_question(2, read(50, 2)), read(7, 5));
}

TEST(OwedAnswers, ASlowUnitIsGivenMoreTime) {
  OwedAnswers owed;
  EXPECT_EQ(owed.patience(1, timeout), timeout);
  owed.asked(1, read(20, 2), timeout, at(0ms));
  owed.answered(1, answer(2), at(650ms));
  EXPECT_TRUE(owed.was_late(1));
  EXPECT_EQ(owed.patience(1, timeout), 1300ms);
  for (int i = 1; i <= 60; ++i) {
    owed.asked(1, read(20, 2), timeout, at(i * 1000ms));
    owed.answered(1, answer(2), at(i * 1000ms + 20ms));
  }
  EXPECT_EQ(owed.patience(1, timeout), timeout);
}

TEST(OwedAnswers, ALostFrameDoesNotMakeAUnitLate) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  owed.asked(1, read(20, 2), timeout, at(500ms));
  owed.answered(1, answer(2), at(520ms));
  EXPECT_FALSE(owed.was_late(1));
}

TEST(OwedAnswers, WhatNeverComesIsForgotten) {
  OwedAnswers owed;
  owed.asked(1, read(20, 2), timeout, at(0ms));
  EXPECT_TRUE(owed.may_be_mistaken(1, read(50, 2), at(6000ms)));
  EXPECT_FALSE(owed.may_be_mistaken(1, read(50, 2), at(6001ms)));
}

}  // namespace
}  // namespace watchroom::agent
