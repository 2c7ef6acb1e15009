// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/record_set.hpp"

#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RecordSet, JoinsRangesThatTouch) {
  RecordSet set;
  set.add(1, 3);
  set.add(7, 9);
  EXPECT_THAT(set.ranges(), ElementsAre(RecordRange{1, 3}, RecordRange{7, 9}));
  set.add(4, 6);
  EXPECT_THAT(set.ranges(), ElementsAre(RecordRange{1, 9}));
  EXPECT_EQ(set.count(), 9u);
}

TEST(RecordSet, NamesWhatIsMissing) {
  RecordSet set;
  set.add(1, 3);
  set.add(7, 9);
  EXPECT_THAT(set.missing({1, 10}), ElementsAre(RecordRange{4, 6}, RecordRange{10, 10}));
  EXPECT_THAT(set.missing({2, 3}), IsEmpty());
  EXPECT_THAT(set.missing({5, 5}), ElementsAre(RecordRange{5, 5}));
}

TEST(RecordSet, AgreesWithAPlainSetOnRandomSteps) {
  std::mt19937 random{7};
  RecordSet set;
  RecordSet other;
  std::set<std::uint64_t> plain;
  std::set<std::uint64_t> plain_other;
  const auto draw = [&] { return std::uniform_int_distribution<std::uint64_t>{1, 60}(random); };
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t first = draw();
    const std::uint64_t last = first + draw() % 8;
    auto& chosen = step % 3 == 0 ? other : set;
    auto& chosen_plain = step % 3 == 0 ? plain_other : plain;
    const bool adds = draw() % 2 == 0;
    adds ? chosen.add(first, last) : chosen.remove(first, last);
    for (std::uint64_t n = first; n <= last; ++n)
      adds ? void(chosen_plain.insert(n)) : void(chosen_plain.erase(n));

    ASSERT_EQ(set.count(), plain.size());
    const RecordSet common = set.common_with(other);
    RecordSet missing;
    for (const auto& range : set.missing({1, 70})) missing.add(range.first, range.last);
    for (std::uint64_t n = 1; n <= 70; ++n) {
      ASSERT_EQ(set.contains(n), plain.contains(n)) << n;
      ASSERT_EQ(missing.contains(n), !plain.contains(n)) << n;
      ASSERT_EQ(common.contains(n), plain.contains(n) && plain_other.contains(n)) << n;
    }
  }
}

}  // namespace
}  // namespace watchroom::agent
