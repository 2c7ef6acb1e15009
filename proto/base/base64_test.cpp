// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/base64.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

TEST(Base64, WritesAndReadsTheVectorsOfTheStandard) {  // RFC 4648 section 10
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(to_base64(bytes), text.empty() ? "" : text + "\n");
    EXPECT_EQ(from_base64(text), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  }
}

TEST(Base64, SkipsLineEndsAndRefusesWhatIsForeign) {
  const std::string bytes(200, '\xfe');
  EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  EXPECT_EQ(from_base64("Zm9v\r\n YmFy"), "foobar");
  for (const std::string_view wrong : {"Zm9", "Zm9v!mFy", "Z===", "Zh==", "Zm9=Zm9v", "====", "-_8="})
    EXPECT_FALSE(from_base64(wrong)) << wrong;
}

TEST(Base64, OfTheUrlKindHasOneSpellingOnly) {
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(from_base64url("-_8"), "\xfb\xff");
  for (const std::string_view wrong : {"-_8=", "-_9", "+/8", "-_8\n", "-"})
    EXPECT_FALSE(from_base64url(wrong)) << wrong;
}

}  // namespace
}  // namespace watchroom
