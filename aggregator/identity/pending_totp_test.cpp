// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/pending_totp.hpp"

#include <gtest/gtest.h>

#include "aggregator/identity/totp.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

TEST(PendingTotp, ASecretBelongsToTheSessionThatAskedForIt) {
  FakeClock clock;
  PendingTotp pending{clock};
  const std::string one = pending.begin("one"), two = pending.begin("two");
  EXPECT_TRUE(is_totp_secret(one));
  EXPECT_NE(one, two);
  EXPECT_EQ(pending.of("one"), one);
  EXPECT_EQ(pending.of("two"), two);
  EXPECT_FALSE(pending.of("three"));
  pending.forget("one");
  pending.forget("three");
  EXPECT_FALSE(pending.of("one"));
  EXPECT_EQ(pending.of("two"), two);
}

TEST(PendingTotp, BeginningAgainForgetsTheFirst) {
  FakeClock clock;
  PendingTotp pending{clock};
  const std::string first = pending.begin("one"), second = pending.begin("one");
  EXPECT_NE(first, second);
  EXPECT_EQ(pending.of("one"), second);
}

TEST(PendingTotp, ASecretNobodyConfirmsIsForgottenAfterTenMinutes) {
  FakeClock clock;
  PendingTotp pending{clock};
  pending.begin("one");
  clock.advance(10min - 1ms);
  EXPECT_TRUE(pending.of("one"));
  clock.advance(1ms);
  EXPECT_FALSE(pending.of("one"));
}

}  // namespace
}  // namespace watchroom::aggregator
