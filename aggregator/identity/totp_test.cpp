// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/totp.hpp"

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view rfc_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";  // "12345678901234567890"

/// RFC 6238 appendix B, SHA1, the last six of its eight digits.
TEST(Totp, GivesTheCodesOfTheStandard) {
  const std::pair<std::int64_t, const char*> samples[] = {{59, "287082"},         {1111111109, "081804"},
                                                          {1111111111, "050471"}, {1234567890, "005924"},
                                                          {2000000000, "279037"}, {20000000000, "353130"}};
  for (const auto& [seconds, code] : samples)
    EXPECT_EQ(totp_code(rfc_secret, totp_step(from_ms(seconds * 1000))), code) << seconds;
}

TEST(Totp, TakesTheCodeOfOneStepBeforeOrAfterAndNoOther) {
  const Timestamp now = from_ms(1'800'000'000'000);
  for (const auto drift : {-1, 0, 1})
    EXPECT_TRUE(step_of_code(rfc_secret, totp_code(rfc_secret, totp_step(now) + drift), now)) << drift;
  for (const auto drift : {-2, 2})
    EXPECT_FALSE(step_of_code(rfc_secret, totp_code(rfc_secret, totp_step(now) + drift), now)) << drift;
  for (const auto* wrong : {"", "12345", "1234567", "abcdef"})
    EXPECT_FALSE(step_of_code(rfc_secret, wrong, now));
}

TEST(Totp, ACodeCanBeUsedOnce) {
  UsedCodes codes;
  const Timestamp now = from_ms(1'800'000'000'000);
  const std::string code = totp_code(rfc_secret, totp_step(now)),
                    before = totp_code(rfc_secret, totp_step(now) - 1);
  EXPECT_TRUE(codes.use("li", rfc_secret, code, now));
  EXPECT_FALSE(codes.use("li", rfc_secret, code, now));
  EXPECT_FALSE(codes.use("li", rfc_secret, before, now)) << "nor one that was seen before it";
  EXPECT_TRUE(codes.use("wang", rfc_secret, code, now)) << "each user's own";
  EXPECT_TRUE(codes.use("li", rfc_secret, totp_code(rfc_secret, totp_step(now) + 1), now + 30s));
}

TEST(Totp, AWallClockThatWentBackLocksNobodyOut) {
  UsedCodes codes;
  const Timestamp ahead = from_ms(1'900'000'000'000), now = from_ms(1'800'000'000'000);
  EXPECT_TRUE(codes.use("li", rfc_secret, totp_code(rfc_secret, totp_step(ahead)), ahead));
  EXPECT_TRUE(codes.use("li", rfc_secret, totp_code(rfc_secret, totp_step(now)), now));
}

TEST(Totp, ANewSecretIsBase32AndNobodyElses) {
  const std::string secret = new_totp_secret();
  EXPECT_EQ(secret.size(), 32u);
  EXPECT_TRUE(is_totp_secret(secret));
  EXPECT_NE(secret, new_totp_secret());
  EXPECT_FALSE(is_totp_secret("short"));
  EXPECT_FALSE(is_totp_secret(std::string(32, '1'))) << "1 is no digit of base32";
}

TEST(Totp, TheAddressIsOneThatApplicationsRead) {
  EXPECT_EQ(totp_uri("李 雷", "ABC"),
            "otpauth://totp/Watchroom:%E6%9D%8E%20%E9%9B%B7?secret=ABC&issuer=Watchroom&"
            "algorithm=SHA1&digits=6&period=30");
}

}  // namespace
}  // namespace watchroom::aggregator
