// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

namespace watchroom {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, CountsCharactersNotBytes) {
  EXPECT_EQ(count_of_characters("abc"), 3u);
  EXPECT_EQ(count_of_characters("机房值守"), 4u);
  EXPECT_EQ(count_of_characters("\xF0\x9F\x94\xA5"), 1u);
  EXPECT_EQ(count_of_characters(""), 0u);
}

TEST(Utf8, RefusesWhatRfc3629Refuses) {
  for (const std::string_view text :
       {"\xff"sv, "\x80"sv, "\xc0\x80"sv, "\xe0\x80\x80"sv, "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv,
        "\xf0\x80\x80\x80"sv, "\xe6\x9c"sv, "\xf5\x80\x80\x80"sv})
    EXPECT_FALSE(count_of_characters(text)) << testing::PrintToString(text);
}

TEST(Utf8, KnowsWhatCouldPlayTricksOnATerminal) {
  EXPECT_TRUE(has_control_characters("a\x1b[2J"));
  EXPECT_TRUE(has_control_characters("a\nb"));
  EXPECT_TRUE(has_control_characters("\xc2\x9b"));         // C1: CSI
  EXPECT_TRUE(has_control_characters("abc\xe2\x80\xae"));  // right-to-left override
  EXPECT_FALSE(has_control_characters("北侧水浸 'x' <b>"));
}

}  // namespace
}  // namespace watchroom
