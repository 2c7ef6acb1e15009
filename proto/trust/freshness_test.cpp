// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/freshness.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

using namespace std::chrono_literals;

const Timestamp noon = from_ms(1'795'780'800'000);

/// An order of noon, number 7, that ends a minute later; an agent that has heard six.
class FreshnessTest : public testing::Test {
 protected:
  std::string refusal(const OrderTime& time, Timeliness timeliness = Timeliness::must_be_timely) const {
    const auto heard = check_freshness(vouched, before, "hall1", "cabinet3", time, timeliness);
    return heard ? "" : heard.error().text;
  }
  Errc code(const OrderTime& time) const {
    const auto heard = check_freshness(vouched, before, "hall1", "cabinet3", time, Timeliness::may_wait);
    return heard ? Errc{} : heard.error().code;
  }

  Vouched vouched{{"output", "centre", "hall1", "cabinet3", 7, noon, noon + 1min, "x"}, noon - 24h};
  Heard before{6, noon - 48h};
};

TEST_F(FreshnessTest, WhatIsNewIsTakenAndRemembered) {
  const auto heard =
      check_freshness(vouched, before, "hall1", "cabinet3", {{noon + 5s, true}}, Timeliness::must_be_timely);
  ASSERT_TRUE(heard) << heard.error().text;
  EXPECT_EQ(*heard, (Heard{7, noon - 24h}));
}

TEST_F(FreshnessTest, WhatWasHeardIsNotHeardAgain) {
  before.number = 7;
  EXPECT_EQ(refusal({{noon, true}}), "order 7 is not new: 7 was heard already");
  EXPECT_EQ(code({{noon, true}}), Errc::conflict) << "the centre may have said it again";
  before.number = 8;
  EXPECT_EQ(refusal({{noon, true}}), "order 7 is not new: 8 was heard already");
  EXPECT_EQ(code({{noon, true}}), Errc::refused) << "nobody says it again once there was another";
}

TEST_F(FreshnessTest, WhatIsForAnotherAgentIsNotForUs) {
  vouched.order.agent = "cabinet4";
  EXPECT_EQ(refusal({{noon, true}}), "the order is for hall1/cabinet4, we are hall1/cabinet3");
  vouched.order.agent = "cabinet3";
  vouched.order.site = "hall2";
  EXPECT_NE(refusal({{noon, true}}), "");
}

TEST_F(FreshnessTest, ANewerKeyEndsTheOlderOnes) {
  before.key_since = noon - 23h;
  EXPECT_NE(refusal({{noon, true}}).find("a newer one of"), std::string::npos);
}

TEST_F(FreshnessTest, WhatIsOverOrYetToComeIsRefused) {
  EXPECT_NE(refusal({{noon + 61s, true}}).find("ended at"), std::string::npos);
  EXPECT_EQ(refusal({{noon - 2min, true}}), "");  // clocks differ a little
  EXPECT_NE(refusal({{noon - 121s, true}}).find("is of"), std::string::npos);
}

TEST_F(FreshnessTest, AClockNobodyVouchesForJudgesNoOrderButAConfiguration) {
  EXPECT_NE(refusal({{noon - 720h, false}}).find("nobody vouches for our clock"), std::string::npos);
  EXPECT_EQ(refusal({{noon - 720h, false}}, Timeliness::may_wait), "");
  EXPECT_NE(refusal({{noon + 720h, false}}, Timeliness::may_wait).find("ended at"),
            std::string::npos);  // surely over
}

TEST_F(FreshnessTest, WhatAnswersAChallengeNeedsNoClock) {
  EXPECT_EQ(refusal({{noon - 720h, false}, 5s}), "");
  EXPECT_EQ(refusal({{noon + 720h, true}, 5s}), "") << "our clock is wrong, and the order is of now";
  EXPECT_EQ(refusal({{noon - 720h, false}, 61s}), "the order is 61 s old, and was good for 60 s");
  EXPECT_NE(refusal({{noon, true}, 61s}), "");
}

}  // namespace
}  // namespace watchroom
