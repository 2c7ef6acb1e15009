// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/intake/journal_ledger.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

using Outcome = JournalLedger::Outcome;

TEST(JournalLedger, ARecordIsFreshOnce) {
  JournalLedger ledger{{}, 0};
  EXPECT_EQ(ledger.note(1, 1), Outcome::fresh);
  EXPECT_EQ(ledger.note(1, 1), Outcome::duplicate);
  EXPECT_EQ(ledger.cumulative(), 1u);
}

TEST(JournalLedger, KeepsWhatCameEarlyAsRanges) {
  JournalLedger ledger{{}, 0};
  for (const std::uint64_t record : {1u, 3u, 4u, 7u}) ledger.note(record, 1);
  EXPECT_EQ(ledger.cumulative(), 1u);
  EXPECT_EQ(ledger.ranges_text(), "3-4 7-7");
  ledger.note(2, 1);
  EXPECT_EQ(ledger.cumulative(), 4u);
  EXPECT_EQ(ledger.ranges_text(), "7-7");
}

TEST(JournalLedger, CountsWhatTheAgentHadToDropAndWaitsNoLonger) {
  JournalLedger ledger{{}, 0};
  ledger.note(1, 1);
  ledger.note(5, 1);
  ledger.note(10, 8);  // 2-4 and 6-7 are gone
  EXPECT_EQ(ledger.missing(), 5u);
  EXPECT_EQ(ledger.cumulative(), 7u);
  EXPECT_EQ(ledger.ranges_text(), "10-10");
}

TEST(JournalLedger, AHugeJumpOfTheOldestIsCheap) {
  JournalLedger ledger{{}, 0};
  ledger.give_up_below(1'000'000'000'000u);
  EXPECT_EQ(ledger.missing(), 999'999'999'999u);
}

TEST(JournalLedger, ReadsBackFromTheStore) {
  JournalLedger ledger{{1}, 2};
  for (const std::uint64_t record : {1u, 3u, 4u, 7u}) ledger.note(record, 1);
  const auto restored =
      JournalLedger::restore({1}, 2, ledger.cumulative(), ledger.ranges_text(), ledger.missing());
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->ack("h").str(), ledger.ack("h").str());
}

TEST(JournalLedger, AnyOrderWithRepeatsEndsWithoutHoles) {
  std::mt19937 random{7};
  std::vector<std::uint64_t> records;
  for (std::uint64_t i = 1; i <= 500; ++i) records.insert(records.end(), 1 + random() % 3, i);
  std::shuffle(records.begin(), records.end(), random);
  JournalLedger ledger{{}, 0};
  std::size_t fresh = 0;
  std::set<std::uint64_t> seen;
  for (const auto record : records) {
    const bool is_new = seen.insert(record).second;
    EXPECT_EQ(ledger.note(record, 1) == Outcome::fresh, is_new);
    fresh += is_new;
  }
  EXPECT_EQ(fresh, 500u);
  EXPECT_EQ(ledger.cumulative(), 500u);
  EXPECT_EQ(ledger.ranges_text(), "");
}

}  // namespace
}  // namespace watchroom::aggregator
