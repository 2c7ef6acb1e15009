// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/order_box.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

TEST(OrderBoxInAFlood, KeepsNobodyFromStoppingTheAgent) {
  sigset_t signals{}, before{};
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, OrderBox::signal);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &signals, &before), 0);
  OrderBox box;
  box.put("order");
  ::kill(::getpid(), SIGTERM);
  int first = 0, second = 0;
  sigwait(&signals, &first);
  sigwait(&signals, &second);
  EXPECT_EQ(first, SIGTERM);
  EXPECT_EQ(second, OrderBox::signal);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(OrderBoxInAFlood, HoldsAFewAndCountsTheRest) {
  sigset_t signals{}, before{};
  sigemptyset(&signals);
  sigaddset(&signals, OrderBox::signal);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &signals, &before), 0);
  OrderBox box;
  for (int i = 0; i < 100; ++i) box.put("order");
  EXPECT_EQ(box.take().size(), 16u);
  EXPECT_EQ(box.take_dropped(), 84u);
  EXPECT_EQ(box.take_dropped(), 0u);
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace watchroom::agent
