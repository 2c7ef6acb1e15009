// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/payload.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "messages/sparkplug_b.pb.h"

namespace watchroom {
namespace {

namespace wire = org::eclipse::tahu::protobuf;

Payload sample() {
  Payload payload;
  payload.at = from_ms(1'800'000'000'123);
  payload.seq = 7;
  payload.metrics = {
      {.name = "ambient.temperature", .at = from_ms(1'800'000'000'000), .value = 23.1, .unit = "celsius"},
      {.name = "leak.state",
       .at = from_ms(1'800'000'000'000),
       .value = std::int64_t{-1},
       .unit = "state",
       .states = "{}",
       .label = "{\"zh\":\"风机\"}",
       .alarms = "[]"},
      {.name = "device.serial", .at = from_ms(1'800'000'000'000), .value = "机房-7"},
      {.name = "ambient.humidity", .at = from_ms(1'800'000'000'000), .quality = Quality::stale},
      {.name = "ambient.dew_point", .at = from_ms(1'000), .value = 9.5, .is_clock_unsure = true},
  };
  payload.journal = JournalStamp{{1, 2, 3}, 42, 17};
  return payload;
}

TEST(Payload, ReadsBackWhatItWrote) {
  for (const auto datatypes : {WithDatatypes::no, WithDatatypes::yes}) {
    const auto read = decode(encode(sample(), datatypes));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(*read, sample());
  }
}

TEST(Payload, AcceptsUInt32InEitherField) {
  wire::Payload in;
  auto* a = in.add_metrics();
  a->set_datatype(7);
  a->set_int_value(4'000'000'000u);
  auto* b = in.add_metrics();
  b->set_datatype(7);
  b->set_long_value(4'000'000'000u);
  const auto read = decode(in.SerializeAsString());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->metrics[0].value, Value{std::int64_t{4'000'000'000}});
  EXPECT_EQ(read->metrics[1].value, Value{std::int64_t{4'000'000'000}});
}

TEST(Payload, AnIntegerWithoutDatatypeIsReadAsItsBirthSaid) {
  const auto data = [](std::uint32_t raw) {
    wire::Payload in;
    in.add_metrics()->set_int_value(raw);
    return decode(in.SerializeAsString())->metrics[0];
  };
  for (const std::uint32_t raw : {0xFFu, 0xFFFFFFFFu}) {
    Metric metric = data(raw);
    read_as(1, metric);
    EXPECT_EQ(metric.value, Value{std::int64_t{-1}});
  }
  Metric int32 = data(0xFFFFFFF6u);
  read_as(3, int32);
  EXPECT_EQ(int32.value, Value{std::int64_t{-10}});
  Metric uint32 = data(0xFFFFFFF6u);
  read_as(7, uint32);
  EXPECT_EQ(uint32.value, Value{std::int64_t{0xFFFFFFF6}});
}

TEST(Payload, CutsNegativeNumbersToTheirWidth) {
  wire::Payload in;
  for (const std::uint32_t raw : {0xFFu, 0xFFFFFFFFu}) {  // masked, and sign-extended
    auto* metric = in.add_metrics();
    metric->set_datatype(1);
    metric->set_int_value(raw);
  }
  const auto read = decode(in.SerializeAsString());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->metrics[0].value, Value{std::int64_t{-1}});
  EXPECT_EQ(read->metrics[1].value, Value{std::int64_t{-1}});
}

TEST(Payload, NotANumberIsBadAndHasNoValue) {
  wire::Payload in;
  in.add_metrics()->set_double_value(std::numeric_limits<double>::quiet_NaN());
  const auto read = decode(in.SerializeAsString());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->metrics[0].value);
  EXPECT_EQ(read->metrics[0].quality, Quality::bad);
}

TEST(Payload, RefusesAForeignQualityAndAForeignSeq) {
  wire::Payload in;
  auto* set = in.add_metrics()->mutable_properties();
  set->add_keys("Quality");
  set->add_values()->set_int_value(77);
  EXPECT_FALSE(decode(in.SerializeAsString()));
  wire::Payload out_of_range;
  out_of_range.set_seq(256);
  EXPECT_FALSE(decode(out_of_range.SerializeAsString()));
  EXPECT_FALSE(decode("\xff\xff\xff"));
}

TEST(JournalAck, ReadsBackWhatItWrote) {
  const JournalAck ack{{0xab, 1}, "watchroom", 120, {{122, 125}, {130, 130}}};
  EXPECT_EQ(ack.str(), "ab010000000000000000000000000000 watchroom 120 122-125 130-130");
  const auto read = JournalAck::parse(ack.str());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, ack);
}

TEST(JournalAck, RefusesNonsense) {
  for (const auto* text :
       {"", "x y z", "ab010000000000000000000000000000 h", "ab010000000000000000000000000000 h -1",
        "ab010000000000000000000000000000 h 5 9-7", "ab010000000000000000000000000000 h 5 3-7"})
    EXPECT_FALSE(JournalAck::parse(text)) << text;
}

}  // namespace
}  // namespace watchroom
