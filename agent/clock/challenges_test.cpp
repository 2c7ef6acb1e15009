// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/clock/challenges.hpp"

#include <gtest/gtest.h>

#include "proto/base/clock.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

TEST(Challenges, TellTheAgeOfWhatAnswersThem) {
  FakeClock clock;
  Challenges challenges{clock};
  const std::string first = challenges.fresh(), second = challenges.fresh();
  EXPECT_EQ(first.size(), 32u);
  EXPECT_NE(first, second);
  clock.advance(25s);
  EXPECT_EQ(challenges.age_of(first, 20s), 5s) << "the issuer had it for 20 s when it signed";
  EXPECT_EQ(challenges.age_of(second, 0s), 25s);
  EXPECT_FALSE(challenges.age_of("", 0s));
  EXPECT_FALSE(challenges.age_of(first.substr(1), 0s));
}

TEST(Challenges, OldOnesAreForgotten) {
  FakeClock clock;
  Challenges challenges{clock};
  const std::string first = challenges.fresh();
  for (std::size_t i = 0; i < Challenges::most; ++i) challenges.fresh();
  EXPECT_FALSE(challenges.age_of(first, 0s));
}

}  // namespace
}  // namespace watchroom::agent
