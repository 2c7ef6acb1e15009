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
  EXPECT_EQ(leading_number("7, all well"), 7);
  EXPECT_EQ(leading_number("7,"), 7);
  EXPECT_FALSE(leading_number("21,6"));   // is not 21
  EXPECT_FALSE(leading_number("1,234"));  // nor is this 1
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

ObjectSource with(CodePart part) {
  ObjectSource source;
  source.part = std::make_shared<const CodePart>(std::move(part));
  return source;
}
std::optional<Value> state_in(const ObjectValue& value, CodePart part) {
  return to_reading(value, with(std::move(part)), in(Unit::state), Timestamp{}).value;
}

TEST(ObjectValue, ATextStandsForACode) {
  const CodePart part{.bit = {}, .mask = {}, .character = {}, .texts = {{"ON", 1}, {"OFF", 0}}};
  EXPECT_EQ(state_in("ON  "s, part), Value{std::int64_t{1}});
  EXPECT_EQ(state_in("OFF"s, part), Value{std::int64_t{0}});
  EXPECT_EQ(state_in("Alarm"s, part), std::nullopt);
}

TEST(ObjectValue, TakesBitsOutOfIntegersAndOctets) {
  EXPECT_EQ(state_in(std::int64_t{0b100}, {.bit = 2u}), Value{std::int64_t{1}});
  EXPECT_EQ(state_in(std::int64_t{0b100}, {.bit = 1u}), Value{std::int64_t{0}});
  EXPECT_EQ(state_in("\x80\x01"s, {.bit = 0u}), Value{std::int64_t{1}});  // the first octet's highest
  EXPECT_EQ(state_in("\x80\x01"s, {.bit = 15u}), Value{std::int64_t{1}});
  EXPECT_EQ(state_in("\x80\x01"s, {.bit = 7u}), Value{std::int64_t{0}});
  EXPECT_EQ(state_in("\x80"s, {.bit = 40u}), Value{std::int64_t{0}});  // trailing zeros are left out
  EXPECT_EQ(state_in(NothingThere{}, {.bit = 0u}), std::nullopt);
  EXPECT_EQ(state_in(std::int64_t{0x35}, {.mask = 0xf0u}), Value{std::int64_t{3}});
}

TEST(ObjectValue, TakesACharacterOutOfFlags) {
  EXPECT_EQ(state_in("0001010"s, {.character = 4u}), Value{std::int64_t{1}});
  EXPECT_EQ(state_in("0001010"s, {.character = 1u}), Value{std::int64_t{0}});
  EXPECT_EQ(state_in("0001010"s, {.character = 8u}), std::nullopt);
  EXPECT_EQ(state_in("00x"s, {.character = 3u}), std::nullopt);
}

TEST(ObjectValue, AUnitsCodeChoosesScaleAndOffset) {
  ObjectSource source;
  source.oid = {1, 3, 6, 1, 1, 0};
  source.factor = FactorObject{{1, 3, 6, 1, 2, 0}, {{1, {}}, {2, {5.0 / 9.0, -160.0 / 9.0}}}};
  std::map<Oid, ObjectValue> objects{{source.oid, std::int64_t{212}}, {source.factor->oid, std::int64_t{2}}};
  EXPECT_NEAR(number_of(*to_reading(objects, source, in(Unit::celsius), Timestamp{}).value).value(), 100,
              1e-9);
  objects[source.factor->oid] = std::int64_t{1};
  EXPECT_EQ(to_reading(objects, source, in(Unit::celsius), Timestamp{}).value, Value{212.0});
  objects[source.factor->oid] = std::int64_t{3};
  EXPECT_EQ(to_reading(objects, source, in(Unit::celsius), Timestamp{}).quality, Quality::bad);
}

TEST(ObjectValue, AnInvalidMarkerIsBadAsTextToo) {
  Conversion conversion = in(Unit::ampere, 0.1);
  conversion.invalid = {-1};
  EXPECT_EQ(to_reading(std::int64_t{-1}, conversion, Timestamp{}).quality, Quality::bad);
  EXPECT_EQ(to_reading("-1"s, conversion, Timestamp{}).quality, Quality::bad);
}

}  // namespace
}  // namespace watchroom::agent
