// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/order_intake.hpp"

#include "proto/base/base64.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/trust/test_signer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

class OrderIntakeTest : public testing::Test {
 protected:
  OrderIntakeTest() { signer_.certify("centre"); }

  OrderDesk desk() {
    return {signer_.folder() / "orders", signer_.certificates.file("ca.pem"), "hall1", "cabinet3"};
  }
  std::string order(std::uint64_t number, const std::string& kind = "key") {
    Order order = test_order();
    order.kind = kind;
    order.number = number;
    order.body = "";
    return to_base64(signer_.sign_as("centre", order));
  }

  TestSigner signer_;
  FakeClock machine_{SystemClock{}.now()};
  AgentClock clock_{machine_};
  Challenges challenges_{machine_};
  OrderIntake intake_{desk(), clock_, challenges_};
};

TEST_F(OrderIntakeTest, WhatIsForgedIsCountedAndToldForAQuarterOfAnHour) {
  EXPECT_FALSE(intake_.figures().is_refused_lately);
  std::string forged = order(7);
  forged[40] = forged[40] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(intake_.take(forged));
  EXPECT_FALSE(intake_.take("!"));
  EXPECT_EQ(intake_.figures().refused, 2u);
  EXPECT_TRUE(intake_.figures().is_refused_lately);
  machine_.advance(14min);
  EXPECT_TRUE(intake_.figures().is_refused_lately);
  machine_.advance(1min);
  EXPECT_FALSE(intake_.figures().is_refused_lately);
  EXPECT_EQ(intake_.figures().refused, 2u);
}

TEST_F(OrderIntakeTest, TheLastOneOnceMoreIsNoAlarmButAnOlderOneIs) {
  const std::string seventh = order(7), eighth = order(8);
  EXPECT_TRUE(intake_.take(seventh));
  EXPECT_TRUE(intake_.take(eighth));
  EXPECT_FALSE(intake_.take(eighth)) << "the centre says again what seems unheard";
  EXPECT_EQ(intake_.figures().refused, 0u);
  EXPECT_FALSE(intake_.take(seventh));
  EXPECT_EQ(intake_.figures().refused, 1u);
}

TEST_F(OrderIntakeTest, AnOrderOfTheKindKeyIsHeardWithoutATimeToRelyOnAndSoIsItsKey) {
  EXPECT_EQ(intake_.figures().key_since, Timestamp{});
  const std::string output = order(6, "output"), key = order(7);
  EXPECT_FALSE(intake_.take(output)) << "nobody vouches for our clock";
  EXPECT_TRUE(intake_.take(key));
  const auto since = intake_.figures().key_since;
  ASSERT_TRUE(since);
  EXPECT_GT(*since, Timestamp{});
  const OrderIntake after_restart{desk(), clock_, challenges_};
  EXPECT_EQ(after_restart.figures().key_since, since);
}

TEST_F(OrderIntakeTest, AFloodFillsNeitherLogNorJournal) {
  intake_.note_dropped(0);
  EXPECT_TRUE(intake_.take_told().empty());
  for (int i = 0; i < 500; ++i) {
    intake_.note_dropped(100);
    intake_.take("!");
  }
  EXPECT_EQ(intake_.take_told().size(), 10u);
}

TEST_F(OrderIntakeTest, AMemoryThatIsDamagedKnowsNoKey) {
  ASSERT_TRUE(replace_file(signer_.folder() / "orders" / "heard.json", "{"));
  EXPECT_FALSE(OrderIntake(desk(), clock_, challenges_).figures().key_since);
}

}  // namespace
}  // namespace watchroom::agent
