// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/intake/sequence.hpp"

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

const Steady now{};

TEST(Sequence, RunsThroughTheWrap) {
  Sequence sequence;
  sequence.start(0);
  for (int i = 1; i < 1000; ++i) EXPECT_FALSE(sequence.note(static_cast<std::uint8_t>(i), now));
  EXPECT_FALSE(sequence.gap_since());
}

TEST(Sequence, AGapThatClosesIsForgotten) {
  Sequence sequence;
  sequence.start(254);
  EXPECT_TRUE(sequence.note(1, now));  // 255 and 0 are missing
  EXPECT_FALSE(sequence.note(2, now));
  EXPECT_TRUE(sequence.gap_since());
  sequence.note(255, now);
  EXPECT_TRUE(sequence.gap_since());
  sequence.note(0, now);
  EXPECT_FALSE(sequence.gap_since());
  EXPECT_FALSE(sequence.note(3, now));
}

TEST(Sequence, ALateRepeatIsNotAGap) {
  Sequence sequence;
  sequence.start(10);
  sequence.note(11, now);
  EXPECT_FALSE(sequence.note(11, now));
  EXPECT_FALSE(sequence.gap_since());
}

}  // namespace
}  // namespace watchroom::aggregator
