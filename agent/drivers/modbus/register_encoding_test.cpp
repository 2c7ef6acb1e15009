// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/register_encoding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::uint16_t>;

RegisterSource of(RegisterType type, ByteOrder order = ByteOrder::abcd) {
  RegisterSource source;
  source.type = type;
  source.order = order;
  source.write = RegisterWrite{};
  return source;
}

Conversion scaled(double scale, double offset = 0.0) {
  Conversion conversion;
  conversion.unit = Unit::celsius;
  conversion.scale = scale;
  conversion.offset = offset;
  return conversion;
}

std::string refusal(const RegisterSource& source, const Conversion& conversion, Value value,
                    double factor = 1.0) {
  const auto encoded = encode_value(source, conversion, value, factor);
  if (!encoded) return encoded.error().text;
  return fmt::format("taken as {}", encoded->front());
}

TEST(RegisterEncoding, WhatWasWrittenReadsAsItWas) {
  const std::vector<RegisterType> types{
      RegisterType::u16, RegisterType::i16,   RegisterType::u32,   RegisterType::i32, RegisterType::u64,
      RegisterType::i64, RegisterType::bcd16, RegisterType::bcd32, RegisterType::f32, RegisterType::f64};
  for (const RegisterType type : types)
    for (const ByteOrder order : {ByteOrder::abcd, ByteOrder::cdab, ByteOrder::badc, ByteOrder::dcba})
      for (const double scale : {1.0, 0.1, 0.01, 0.5, 10.0})
        for (const double raw : {0.0, 1.0, 233.0, 9990.0}) {
          const double value = scale < 1.0 ? raw / std::round(1.0 / scale) : raw * scale;
          const RegisterSource source = of(type, order);
          const auto words = encode_value(source, scaled(scale), Value{value}, 1.0);
          ASSERT_TRUE(words) << words.error().text;
          RegisterImage image;
          image.add({source.table, source.address, static_cast<std::uint16_t>(words->size())}, *words);
          EXPECT_EQ(image.read(source, scaled(scale), Timestamp{}).value, Value{value})
              << static_cast<int>(type) << " " << static_cast<int>(order) << " " << scale;
        }
}

TEST(RegisterEncoding, InvertsScaleOffsetAndFactor) {
  EXPECT_EQ(*encode_value(of(RegisterType::i16), scaled(0.1), Value{23.3}, 1.0), Words{233});
  EXPECT_EQ(*encode_value(of(RegisterType::i16), scaled(0.1, -40), Value{-60.0}, 1.0),
            Words{static_cast<std::uint16_t>(-200)});
  EXPECT_EQ(*encode_value(of(RegisterType::u16), scaled(1.0), Value{2.31}, 0.01), Words{231});
  EXPECT_EQ(*encode_value(of(RegisterType::bcd16), scaled(0.1), Value{24.5}, 1.0), Words{0x0245});
}

TEST(RegisterEncoding, RefusesWhatLiesBetweenTwoSteps) {
  EXPECT_THAT(refusal(of(RegisterType::i16), scaled(0.1), Value{23.35}),
              HasSubstr("the nearest are 23.3 and 23.4"));
  EXPECT_THAT(refusal(of(RegisterType::u16), scaled(1.0), Value{0.5}), HasSubstr("the nearest are 0 and 1"));
}

TEST(RegisterEncoding, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal(of(RegisterType::u16), scaled(1.0), Value{65536.0}), HasSubstr("holds 0 to 65535"));
  EXPECT_THAT(refusal(of(RegisterType::u16), scaled(1.0), Value{-1.0}), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(of(RegisterType::i16), scaled(0.1), Value{3276.8}),
              HasSubstr("holds -3276.8 to 3276.7"));
  EXPECT_THAT(refusal(of(RegisterType::bcd16), scaled(1.0), Value{10000.0}), HasSubstr("holds 0 to 9999"));
  EXPECT_THAT(refusal(of(RegisterType::i64), scaled(1.0), Value{1e17}), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(of(RegisterType::f32), scaled(1.0), Value{1e300}), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(of(RegisterType::f64), scaled(1.0), Value{std::nan("")}), HasSubstr("not plausible"));
}

TEST(RegisterEncoding, RefusesWhatIsNotPlausibleOrMeansNoValue) {
  Conversion conversion = scaled(0.1);
  conversion.least_plausible = 16;
  conversion.most_plausible = 30;
  EXPECT_THAT(refusal(of(RegisterType::i16), conversion, Value{30.1}), HasSubstr("expected 16 to 30"));
  EXPECT_THAT(refusal(of(RegisterType::i16), conversion, Value{15.9}), HasSubstr("expected 16 to 30"));
  EXPECT_TRUE(encode_value(of(RegisterType::i16), conversion, Value{30.0}, 1.0));
  EXPECT_TRUE(encode_value(of(RegisterType::i16), conversion, Value{16.0}, 1.0));
  conversion.invalid = {200};
  EXPECT_THAT(refusal(of(RegisterType::i16), conversion, Value{20.0}), HasSubstr("no value"));
}

TEST(RegisterEncoding, AStateIsWrittenAsTheDeviceWantsIt) {
  RegisterSource source = of(RegisterType::u16);
  source.write->contents = {{0, 0x0200}, {1, 0x0100}};
  Conversion state;
  state.unit = Unit::state;
  EXPECT_EQ(*encode_value(source, state, Value{std::int64_t{1}}, 1.0), Words{0x0100});
  EXPECT_EQ(*encode_value(source, state, Value{std::int64_t{0}}, 1.0), Words{0x0200});
  EXPECT_THAT(refusal(source, state, Value{std::int64_t{2}}), HasSubstr("no state 2"));
  EXPECT_THAT(refusal(source, state, Value{0.5}), HasSubstr("no state 0.5"));
}

TEST(RegisterEncoding, RefusesWhatIsOnlyRead) {
  RegisterSource source = of(RegisterType::u16);
  source.write.reset();
  EXPECT_THAT(refusal(source, scaled(1.0), Value{1.0}), HasSubstr("only read"));
  EXPECT_THAT(refusal(of(RegisterType::u16), scaled(1.0), Value{"on"}), HasSubstr("no number"));
}

}  // namespace
}  // namespace watchroom::agent
