// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/register_image.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

Reading read(const RegisterSource& source, std::vector<std::uint16_t> words, Conversion conversion = {}) {
  RegisterImage image;
  const auto count = static_cast<std::uint16_t>(words.size());
  image.add({source.table, 0, count}, std::move(words));
  if (conversion.unit == Unit::none) conversion.unit = Unit::volt;
  return image.read(source, conversion, Timestamp{});
}

double number(const Reading& reading) {
  return reading.value ? number_of(*reading.value).value_or(-1e9) : -1e9;
}

RegisterSource of(RegisterType type, ByteOrder order = ByteOrder::abcd) {
  RegisterSource source;
  source.type = type;
  source.order = order;
  return source;
}

TEST(RegisterImage, KnowsEveryIntegerType) {
  EXPECT_EQ(number(read(of(RegisterType::u16), {0xfffe})), 65534);
  EXPECT_EQ(number(read(of(RegisterType::i16), {0xfffe})), -2);
  EXPECT_EQ(number(read(of(RegisterType::u32), {0xffff, 0xfffe})), 4294967294.0);
  EXPECT_EQ(number(read(of(RegisterType::i32), {0xffff, 0xfffe})), -2);
  EXPECT_EQ(number(read(of(RegisterType::i64), {0xffff, 0xffff, 0xffff, 0xfffe})), -2);
  EXPECT_EQ(number(read(of(RegisterType::u64), {0x8000, 0, 0, 0})), 9223372036854775808.0);
}

TEST(RegisterImage, DecimalDigitsAboveNineAreBad) {
  EXPECT_EQ(number(read(of(RegisterType::bcd16), {0x2305})), 2305);
  EXPECT_EQ(number(read(of(RegisterType::bcd32), {0x0123, 0x4567})), 1234567);
  EXPECT_EQ(number(read(of(RegisterType::bcd32, ByteOrder::cdab), {0x4567, 0x0123})), 1234567);
  EXPECT_EQ(read(of(RegisterType::bcd16), {0x23a5}).quality, Quality::bad);
}

TEST(RegisterImage, KnowsEveryByteOrder) {
  // 230.2 as a float is 43 66 33 33.
  EXPECT_EQ(number(read(of(RegisterType::f32, ByteOrder::abcd), {0x4366, 0x3333})), 230.2);
  EXPECT_EQ(number(read(of(RegisterType::f32, ByteOrder::cdab), {0x3333, 0x4366})), 230.2);
  EXPECT_EQ(number(read(of(RegisterType::f32, ByteOrder::badc), {0x6643, 0x3333})), 230.2);
  EXPECT_EQ(number(read(of(RegisterType::f32, ByteOrder::dcba), {0x3333, 0x6643})), 230.2);
  EXPECT_EQ(number(read(of(RegisterType::f64), {0x3ff8, 0, 0, 0})), 1.5);
  EXPECT_EQ(number(read(of(RegisterType::f64, ByteOrder::cdab), {0, 0, 0, 0x3ff8})), 1.5);
}

TEST(RegisterImage, NotANumberIsBad) {
  EXPECT_EQ(read(of(RegisterType::f32), {0x7fc0, 0}).quality, Quality::bad);
  EXPECT_EQ(read(of(RegisterType::f32), {0x7f80, 0}).quality, Quality::bad);
}

TEST(RegisterImage, AnInvalidMarkerIsBad) {
  Conversion conversion;
  conversion.invalid = {0x7fff, -1};
  EXPECT_EQ(read(of(RegisterType::u16), {0x7fff}, conversion).quality, Quality::bad);
  EXPECT_EQ(read(of(RegisterType::i16), {0xffff}, conversion).quality, Quality::bad);
  EXPECT_EQ(read(of(RegisterType::u16), {0xffff}, conversion).quality, Quality::good);
}

TEST(RegisterImage, AnImplausibleValueIsBad) {
  Conversion conversion;
  conversion.scale = 0.1;
  conversion.least_plausible = -40;
  conversion.most_plausible = 80;
  EXPECT_EQ(read(of(RegisterType::i16), {801}, conversion).quality, Quality::bad);
  EXPECT_EQ(number(read(of(RegisterType::i16), {800}, conversion)), 80);
}

TEST(RegisterImage, TakesBitsOutOfAWord) {
  RegisterSource source = of(RegisterType::u16);
  Conversion state;
  state.unit = Unit::state;
  source.mask = 1u << 4;
  EXPECT_EQ(read(source, {0x0010}, state).value, (Value{std::int64_t{1}}));
  source.mask = 0x28;
  EXPECT_EQ(read(source, {0x0020}, state).value, (Value{std::int64_t{4}}));
}

TEST(RegisterImage, ScalesWithoutBinaryDust) {
  Conversion tenth;
  tenth.scale = 0.1;
  EXPECT_EQ(number(read(of(RegisterType::i16), {233}, tenth)), 23.3);
  Conversion minutes;
  minutes.scale = 1.0 / 60;
  EXPECT_EQ(number(read(of(RegisterType::u16), {5400}, minutes)), 90);
}

TEST(RegisterImage, AskedForOutsideWhatWasReadIsBad) {
  RegisterSource source = of(RegisterType::u32);
  source.address = 1;
  EXPECT_EQ(read(source, {1, 2}).quality, Quality::bad);
}

}  // namespace
}  // namespace watchroom::agent
