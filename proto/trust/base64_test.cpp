// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/base64.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

TEST(Base64, IsThatOfTheStandard) {  // RFC 4648 section 10
  const std::pair<std::string, std::string> known[]{{"", ""},
                                                    {"f", "Zg=="},
                                                    {"fo", "Zm8="},
                                                    {"foo", "Zm9v"},
                                                    {"foob", "Zm9vYg=="},
                                                    {"fooba", "Zm9vYmE="},
                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : known) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(from_base64(to_base64(all)), all);
}

TEST(Base64, RefusesWhatItIsNot) {
  for (const char* text : {"Zg", "Zg=", "Z===", "Zm9v!", "Zm\x01v", "密码"})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace watchroom
