// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/model/point_name.hpp"

#include <set>

#include <gtest/gtest.h>

namespace watchroom {
namespace {

TEST(PointName, TakesInstancesInBrackets) {
  const auto name = PointName::parse("outlet[3].current");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->kind().unit, Unit::ampere);
  EXPECT_EQ(name->label_zh(), "插座电流 3");
}

TEST(PointName, TheOnlyInstanceNeedsNoBrackets) { EXPECT_TRUE(PointName::parse("ambient.temperature")); }

TEST(PointName, RefusesWhatTheListDoesNotHaveAndNamesTheNearest) {
  const auto name = PointName::parse("ambient.temprature");
  ASSERT_FALSE(name);
  EXPECT_NE(name.error().text.find("ambient[].temperature"), std::string::npos);
}

TEST(PointName, RefusesMalformedInstances) {
  for (const auto* text : {"outlet[].current", "outlet[3.current", "outlet]3[.current", "outlet[a b].current",
                           "outlet[3]].current", "outlet[123456789012345678901234567890123].current", ""})
    EXPECT_FALSE(PointName::parse(text)) << text;
}

TEST(PointName, NoKindIsListedTwice) {
  std::set<std::string_view> seen;
  for (const PointKind& kind : point_kinds()) EXPECT_TRUE(seen.insert(kind.name).second) << kind.name;
}

TEST(Glob, AStarStandsForAnyRun) {
  EXPECT_TRUE(matches_glob("outlet[*].current", "outlet[12].current"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*b*c", "a-bb-c"));
  EXPECT_FALSE(matches_glob("outlet[*].current", "outlet[12].power"));
  EXPECT_FALSE(matches_glob("", "x"));
}

TEST(Unit, EveryUnitHasANameThatReadsBack) {
  for (int i = 0; i <= static_cast<int>(Unit::byte); ++i) {
    const auto unit = static_cast<Unit>(i);
    EXPECT_EQ(unit_named(name_of(unit)), unit);
  }
}

}  // namespace
}  // namespace watchroom
