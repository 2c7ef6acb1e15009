// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/register_image.hpp"

#include <tuple>

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

// 01 23 45 67 89 ab cd ef as the four orders send it.
TEST(RegisterImage, KnowsEveryByteOrderOfSixtyFourBits) {
  const std::vector<std::pair<ByteOrder, std::vector<std::uint16_t>>> sent{
      {ByteOrder::abcd, {0x0123, 0x4567, 0x89ab, 0xcdef}},
      {ByteOrder::cdab, {0xcdef, 0x89ab, 0x4567, 0x0123}},
      {ByteOrder::badc, {0x2301, 0x6745, 0xab89, 0xefcd}},
      {ByteOrder::dcba, {0xefcd, 0xab89, 0x6745, 0x2301}}};
  for (const auto& [order, words] : sent) {
    EXPECT_EQ(number(read(of(RegisterType::u64, order), words)), 81985529216486895.0);
    EXPECT_EQ(number(read(of(RegisterType::i64, order), words)), 81985529216486895.0);
    EXPECT_EQ(words_of(0x0123456789abcdef, of(RegisterType::u64, order)), words);
  }
}

TEST(RegisterImage, ReadsTheEdgesOfEveryInteger) {
  const std::vector<std::tuple<RegisterType, std::vector<std::uint16_t>, double>> edges{
      {RegisterType::u16, {0}, 0},
      {RegisterType::u16, {0xffff}, 65535},
      {RegisterType::i16, {0x8000}, -32768},
      {RegisterType::i16, {0x7fff}, 32767},
      {RegisterType::u32, {0xffff, 0xffff}, 4294967295.0},
      {RegisterType::i32, {0x8000, 0}, -2147483648.0},
      {RegisterType::i32, {0x7fff, 0xffff}, 2147483647},
      {RegisterType::u64, {0xffff, 0xffff, 0xffff, 0xffff}, 18446744073709551615.0},
      {RegisterType::i64, {0x8000, 0, 0, 0}, -9223372036854775808.0},
      {RegisterType::bcd16, {0x9999}, 9999},
      {RegisterType::bcd32, {0x9999, 0x9999}, 99999999},
      {RegisterType::f32, {0x7f7f, 0xffff}, 3.4028235e38},
      {RegisterType::f32, {0x8000, 0}, 0},
      {RegisterType::f64, {0xffef, 0xffff, 0xffff, 0xffff}, -1.7976931348623157e308}};
  for (const auto& [type, words, value] : edges) EXPECT_EQ(number(read(of(type), words)), value) << value;
}

TEST(RegisterImage, DividesByTheDecimalsThatTheDeviceTells) {
  RegisterSource source = of(RegisterType::i16);
  source.decimals_register = std::uint16_t{1};
  EXPECT_EQ(number(read(source, {2310, 0})), 2310);
  EXPECT_EQ(number(read(source, {2310, 2})), 23.1);
  EXPECT_EQ(number(read(source, {0xf6fa, 3})), -2.31);
  EXPECT_EQ(number(read(source, {2310, 9})), 2.31e-6);
  EXPECT_EQ(read(source, {2310, 10}).quality, Quality::bad);
  EXPECT_EQ(read(source, {2310}).quality, Quality::bad);
}

TEST(RegisterImage, TakesTheFactorOfTheUnitThatTheDeviceTells) {
  RegisterSource source = of(RegisterType::u16);
  source.factor_register = FactorRegister{1, {{0, 1.0}, {1, 0.3048}}};
  EXPECT_EQ(number(read(source, {100, 0})), 100);
  EXPECT_NEAR(number(read(source, {100, 1})), 30.48, 1e-9);
  EXPECT_EQ(read(source, {100, 2}).quality, Quality::bad);
}

TEST(RegisterImage, TakesTheHighestBitOfEveryWidth) {
  Conversion state;
  state.unit = Unit::state;
  for (const auto& [type, bits] :
       {std::pair{RegisterType::u16, 16}, {RegisterType::u32, 32}, {RegisterType::u64, 64}}) {
    RegisterSource source = of(type);
    source.mask = std::uint64_t{1} << (bits - 1);
    std::vector<std::uint16_t> words(static_cast<std::size_t>(bits / 16));
    EXPECT_EQ(read(source, words, state).value, (Value{std::int64_t{0}}));
    words[0] = 0x8000;
    EXPECT_EQ(read(source, words, state).value, (Value{std::int64_t{1}}));
  }
}

Reading text(std::vector<std::uint16_t> words, ByteOrder order = ByteOrder::abcd) {
  RegisterSource source = of(RegisterType::text, order);
  source.text_length = static_cast<std::uint16_t>(words.size());
  Conversion conversion;
  conversion.unit = Unit::text;
  return read(source, std::move(words), conversion);
}

TEST(RegisterImage, ReadsTextInEveryByteOrder) {
  // "SMT1500 " and zeros
  EXPECT_EQ(text({0x534d, 0x5431, 0x3530, 0x3020, 0}).value, Value{"SMT1500"});
  EXPECT_EQ(text({0x4d53, 0x3154, 0x3035, 0x2030, 0}, ByteOrder::badc).value, Value{"SMT1500"});
  EXPECT_EQ(text({0x3020, 0x3530, 0x5431, 0x534d}, ByteOrder::cdab).value, Value{"SMT1500"});
  EXPECT_EQ(text({0x2030, 0x3035, 0x3154, 0x4d53}, ByteOrder::dcba).value, Value{"SMT1500"});
}

TEST(RegisterImage, ATextEndsAtItsFirstZeroAndIsTrimmed) {
  EXPECT_EQ(text({0x2020, 0x4142, 0x2000, 0x5858}).value, Value{"AB"});
  EXPECT_EQ(text({0, 0, 0}).value, Value{""});
  EXPECT_EQ(text({0x4107, 0xff42}).value, Value{"A??B"});
  EXPECT_EQ(text({0xe4b8, 0xade6, 0x9687}).value, Value{"中文"});
}

TEST(RegisterImage, ATextMayHaveOneLetterARegister) {
  EXPECT_EQ(text({'W', 'B', '-', 'M', 'R', '6', 0, 0}).value, Value{"WB-MR6"});
}

TEST(RegisterImage, ATextThatWasNeverSetIsBad) { EXPECT_EQ(text({0xffff, 0xffff}).quality, Quality::bad); }

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

TEST(RegisterImage, AnInvalidMarkerIsThatOfTheWholeWordAlsoForItsBits) {
  RegisterSource source = of(RegisterType::u16);
  source.mask = 1u << 4;
  Conversion conversion;
  conversion.unit = Unit::state;
  conversion.invalid = {0xffff, 1};
  EXPECT_EQ(read(source, {0xffff}, conversion).quality, Quality::bad);
  EXPECT_EQ(read(source, {0x0001}, conversion).quality, Quality::bad);
  EXPECT_EQ(read(source, {0xfffe}, conversion).value, (Value{std::int64_t{1}}));
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
