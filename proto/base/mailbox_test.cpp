// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/mailbox.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

TEST(Mailbox, AFullOneRefusesAndCountsButTakesWhatMustNotBeMissed) {
  Mailbox<int> mailbox{2};
  EXPECT_TRUE(mailbox.put(1));
  EXPECT_TRUE(mailbox.put(2));
  EXPECT_FALSE(mailbox.put(3));
  EXPECT_TRUE(mailbox.put_regardless(4));
  EXPECT_EQ(mailbox.refused(), 1u);
  EXPECT_EQ(mailbox.take(9, std::chrono::steady_clock::now()), (std::vector{1, 2, 4}));
  mailbox.close();
  EXPECT_FALSE(mailbox.put_regardless(5));
}

}  // namespace
}  // namespace watchroom
