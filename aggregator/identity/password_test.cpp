// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/password.hpp"

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

constexpr HashCost cheap{.memory_kib = 64, .passes = 1, .lanes = 1};

TEST(Password, OnlyTheRightOneFitsItsHash) {
  const auto hash = hash_password("correct horse battery", cheap);
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->substr(0, 28), "$argon2id$v=19$m=64,t=1,p=1$");
  EXPECT_TRUE(verify_password(*hash, "correct horse battery"));
  EXPECT_FALSE(verify_password(*hash, "correct horse batterx"));
  EXPECT_FALSE(verify_password(*hash, ""));
  EXPECT_FALSE(verify_password(*hash, std::string(1'000'000, 'x')));
}

TEST(Password, TheSameOneNeverHashesTheSame) {
  EXPECT_NE(*hash_password("correct horse battery", cheap), *hash_password("correct horse battery", cheap));
}

/// The vector of RFC 9106 has a key and data that the text form cannot carry; this one was made by the
/// reference program: `printf password | argon2 somesalt -id -t 2 -m 16 -p 1` (phc-winner-argon2, test.c,
/// version 0x13).
TEST(Password, AgreesWithTheReferenceProgram) {
  EXPECT_TRUE(verify_password(
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"));
}

TEST(Password, WhatIsNoHashFitsNothing) {
  for (const std::string_view text :
       {"", "x", "$argon2id$",
        "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHRzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHRzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=64,t=1,p=1$\"$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"}) {
    EXPECT_FALSE(is_password_hash(text)) << text;
    EXPECT_FALSE(verify_password(text, "password")) << text;
  }
}

TEST(Password, RulesAreFewAndSaidClearly) {
  EXPECT_TRUE(check_password_rules("li", "0123456789"));
  EXPECT_TRUE(check_password_rules("li", "一二三四五六七八九十")) << "ten characters, whatever their bytes";
  EXPECT_EQ(check_password_rules("li", "012345678").error().text,
            "the password has 9 characters, expected 10 or more");
  EXPECT_EQ(check_password_rules("li", std::string(257, 'x')).error().text,
            "the password has 257 bytes, expected 256 or fewer");
  EXPECT_EQ(check_password_rules("administrator", "administrator").error().text,
            "the password is the user's name");
  EXPECT_FALSE(check_password_rules("li", "0123456789\n"));
  EXPECT_FALSE(check_password_rules("li", "0123456789\xff"));
}

}  // namespace
}  // namespace watchroom::aggregator
