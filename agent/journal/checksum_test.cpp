// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/checksum.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

// By hand: CRC-32 of the part's bytes and its length in 8 bytes, lowest first (RFC 1952, 8). Journals that
// are out there hold these.
TEST(Checksum, IsWhatItAlwaysWas) {
  EXPECT_EQ(Checksum{}.value(), 0);
  EXPECT_EQ(Checksum{}.add("123456789").value(), 1749667287);
  EXPECT_EQ(Checksum{}.add(std::uint64_t{0x0102030405060708}).value(), 2781670693);
  EXPECT_EQ(Checksum{}.add("").add(std::uint64_t{1}).value(), 538004427);
}

TEST(Checksum, TellsPartsApart) {
  EXPECT_NE(Checksum{}.add("ab").add("c").value(), Checksum{}.add("a").add("bc").value());
}

}  // namespace
}  // namespace watchroom::agent
