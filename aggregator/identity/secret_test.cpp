// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/secret.hpp"

#include <set>

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

TEST(Secret, HashesAsFips180Says) {
  EXPECT_EQ(sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // appendix B.1
}

TEST(Secret, IsLongAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(new_session_id()).second);
    EXPECT_TRUE(seen.insert(new_token()).second);
    EXPECT_TRUE(seen.insert(new_password()).second);
  }
  EXPECT_EQ(new_session_id().size(), 64u);
  EXPECT_EQ(new_token().substr(0, 3), "wr_");
  EXPECT_EQ(new_token().size(), 67u);
  EXPECT_EQ(new_password().size(), 20u);
}

TEST(Secret, ComparesByContent) {
  EXPECT_TRUE(equals_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equals_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equals_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace watchroom::aggregator
