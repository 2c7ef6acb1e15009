// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/object_value.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::string_literals;

Conversion in(Unit unit, double scale = 1.0) {
  Conversion conversion;
  conversion.unit = unit;
  conversion.scale = scale;
  return conversion;
}

TEST(ObjectValue, MakesTextsReadable) {
  EXPECT_EQ(readable_text("UPS 80 kVA\0\0  "s + "\0"s), "UPS 80 kVA");
  EXPECT_EQ(readable_text("机房"), "机房");
  EXPECT_EQ(readable_text("a\x01\xff"
                          "b"),
            "a??b");
  EXPECT_EQ(readable_text("\xe6\x9c"), "??");       // a character cut short
  EXPECT_EQ(readable_text("\xc0\xaf"), "??");       // overlong
  EXPECT_EQ(readable_text("\xed\xa0\x80"), "???");  // half of a surrogate pair
  EXPECT_LE(readable_text(std::string(5000, 'x')).size(), 200u);
}

TEST(ObjectValue, FindsTheNumberInAText) {
  EXPECT_EQ(leading_number("23.5 C"), 23.5);
  EXPECT_EQ(leading_number(" -4"), -4);
  EXPECT_EQ(leading_number("+7 A"), 7);
  EXPECT_FALSE(leading_number("n/a"));
  EXPECT_FALSE(leading_number(""));
  EXPECT_FALSE(leading_number("nan"));
}

TEST(ObjectValue, MakesReadings) {
  EXPECT_EQ(to_reading(std::int64_t{2715}, in(Unit::volt, 0.1), Timestamp{}).value, Value{271.5});
  EXPECT_EQ(to_reading("23.5"s, in(Unit::celsius), Timestamp{}).value, Value{23.5});
  EXPECT_EQ(to_reading("7.1.2"s, in(Unit::text), Timestamp{}).value, Value{"7.1.2"s});
  EXPECT_EQ(to_reading(std::int64_t{5}, in(Unit::state), Timestamp{}).value, Value{std::int64_t{5}});
  EXPECT_EQ(to_reading("off"s, in(Unit::celsius), Timestamp{}).quality, Quality::bad);
  EXPECT_EQ(to_reading(NothingThere{}, in(Unit::celsius), Timestamp{}).quality, Quality::bad);
  EXPECT_EQ(to_reading(NothingThere{}, in(Unit::text), Timestamp{}).quality, Quality::bad);
}

TEST(ObjectValue, AnInvalidMarkerIsBadAsTextToo) {
  Conversion conversion = in(Unit::ampere, 0.1);
  conversion.invalid = {-1};
  EXPECT_EQ(to_reading(std::int64_t{-1}, conversion, Timestamp{}).quality, Quality::bad);
  EXPECT_EQ(to_reading("-1"s, conversion, Timestamp{}).quality, Quality::bad);
}

}  // namespace
}  // namespace watchroom::agent
