// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/order_box.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

/// Its signal waits instead of ending the test.
class OrderBoxTest : public testing::Test {
 protected:
  OrderBoxTest() {
    ::sigemptyset(&ours_);
    ::sigaddset(&ours_, OrderBox::signal);
    ::pthread_sigmask(SIG_BLOCK, &ours_, &before_);
  }
  ~OrderBoxTest() override {
    while (is_woken(0)) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  bool is_woken(int patience_s) const {
    const timespec patience{patience_s, 0};
    return ::sigtimedwait(&ours_, nullptr, &patience) == OrderBox::signal;
  }

  OrderBox box_;
  sigset_t ours_{}, before_{};
};

TEST_F(OrderBoxTest, WakesWhoWaitsForSignalsAndGivesEachOrderOnceInItsTurn) {
  EXPECT_FALSE(is_woken(0));
  box_.put("first");
  EXPECT_TRUE(is_woken(10));
  box_.put("second");
  EXPECT_THAT(box_.take(), testing::ElementsAre("first", "second"));
  EXPECT_THAT(box_.take(), testing::IsEmpty());
  EXPECT_EQ(box_.take_dropped(), 0u);
}

TEST_F(OrderBoxTest, AFloodIsDroppedAndCountedAndWhatCameFirstStays) {
  for (int i = 0; i < 100; ++i) box_.put(std::to_string(i));
  const auto taken = box_.take();
  ASSERT_EQ(taken.size(), 16u);
  EXPECT_EQ(taken.front(), "0");
  EXPECT_EQ(taken.back(), "15");
  EXPECT_EQ(box_.take_dropped(), 84u);
  EXPECT_EQ(box_.take_dropped(), 0u) << "told once";
  box_.put("afterwards");
  EXPECT_THAT(box_.take(), testing::ElementsAre("afterwards"));
}

TEST_F(OrderBoxTest, AFloodKeepsNobodyFromStoppingTheAgent) {
  sigset_t both = ours_;
  ::sigaddset(&both, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &both, nullptr);
  box_.put("order");
  ::kill(::getpid(), SIGTERM);
  int first = 0, second = 0;
  ::sigwait(&both, &first);
  ::sigwait(&both, &second);
  EXPECT_EQ(first, SIGTERM);
  EXPECT_EQ(second, OrderBox::signal);
}

}  // namespace
}  // namespace watchroom::agent
