// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using testing::ElementsAre;
using testing::Pair;
using Frame = std::vector<std::uint8_t>;

// The example of Modbus Application Protocol V1.1b3, 6.21, with a shorter maker.
const Frame whole{0x2b, 0x0e, 0x01, 0x01, 0x00, 0x00, 0x02, 0x00, 0x04,
                  'A',  'c',  'm',  'e',  0x01, 0x02, 'X',  '1'};

TEST(DeviceIdentification, ReadsItsObjects) {
  const auto part = decode_identity(whole);
  ASSERT_TRUE(part) << part.error().text;
  EXPECT_THAT(part->objects, ElementsAre(Pair(0, "Acme"), Pair(1, "X1")));
  EXPECT_FALSE(part->next_object);
}

TEST(DeviceIdentification, TellsWhereItGoesOn) {
  Frame first = whole;
  first[4] = 0xff;
  first[5] = 2;
  EXPECT_EQ(decode_identity(first)->next_object, 2);
}

TEST(DeviceIdentification, AnExceptionIsNoIdentity) {
  const auto part = decode_identity(Frame{0xab, 0x01});
  ASSERT_TRUE(part);
  EXPECT_EQ(part->exception, 1);
  EXPECT_TRUE(part->objects.empty());
}

TEST(DeviceIdentification, RefusesWhatEndsTooSoon) {
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(decode_identity(Bytes{whole}.first(length))) << length;
}

}  // namespace
}  // namespace watchroom::agent
