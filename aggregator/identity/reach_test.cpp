// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/reach.hpp"

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

const Regions regions{{"north", {"hq", "annex"}}};

TEST(Reach, WithoutDomainsIsEverything) {
  EXPECT_TRUE(Reach{}.covers("anywhere", "room1"));
  EXPECT_TRUE(Reach::of({}, regions).is_everything());
}

TEST(Reach, CoversItsRegionsSitesAndRoomsAndNothingElse) {
  EXPECT_TRUE(Reach::of({"region:north"}, regions).covers("annex", "room9"));
  EXPECT_FALSE(Reach::of({"region:north"}, regions).covers("south", "room9"));
  EXPECT_TRUE(Reach::of({"site:hq"}, regions).covers("hq", "room2"));
  EXPECT_FALSE(Reach::of({"site:hq"}, regions).covers("hq2", "room2"));
  const Reach room = Reach::of({"room:hq/room1"}, regions);
  EXPECT_TRUE(room.covers("hq", "room1"));
  EXPECT_FALSE(room.covers("hq", "room11"));
  EXPECT_FALSE(room.covers("hq", ""));
  EXPECT_FALSE(room.covers("", ""));
}

TEST(Reach, ARegionThatNobodyNamedCoversNothing) {
  const Reach reach = Reach::of({"region:nowhere"}, regions);
  EXPECT_FALSE(reach.is_everything());
  EXPECT_FALSE(reach.covers("hq", "room1"));
}

TEST(Reach, OfATokenOnlyTakesAway) {
  const Reach user = Reach::of({"site:hq"}, regions);
  EXPECT_FALSE(user.within(Reach::of({"site:annex"}, regions)).covers("annex", "room1"));
  EXPECT_FALSE(user.within(Reach::of({"room:hq/room1"}, regions)).covers("hq", "room2"));
  EXPECT_TRUE(user.within(Reach::of({"room:hq/room1"}, regions)).covers("hq", "room1"));
  EXPECT_TRUE(user.within(Reach{}).covers("hq", "room2"));
}

TEST(Reach, ADomainIsWrittenInOneWay) {
  for (const auto* good : {"region:华北", "site:hq", "room:hq/room1"}) EXPECT_TRUE(is_domain(good)) << good;
  for (const auto* bad : {"", "hq", "site:", "site:a/b", "room:hq", "room:hq/", "room:/room1", "room:a/b/c",
                          "region:", "planet:earth", "site:a\nb"})
    EXPECT_FALSE(is_domain(bad)) << bad;
}

}  // namespace
}  // namespace watchroom::aggregator
