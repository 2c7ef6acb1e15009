// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/enrolment_token.hpp"

#include <gtest/gtest.h>

namespace watchroom {
namespace {

const EnrolmentToken token{std::string(32, '\x01'), std::string(32, '\xff')};

TEST(EnrolmentTokenText, IsReadBackAsItWasWritten) {
  EXPECT_EQ(token.str().size(), 5u + 86u);
  EXPECT_EQ(EnrolmentToken::parse(token.str()), token);
}

TEST(EnrolmentTokenText, IsRefusedWhenAnythingIsAmiss) {
  const std::string text = token.str();
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(EnrolmentToken::parse(text.substr(0, length))) << length;
  EXPECT_FALSE(EnrolmentToken::parse(text + "A"));
  EXPECT_FALSE(EnrolmentToken::parse(text + "\n"));
  EXPECT_FALSE(EnrolmentToken::parse("wre2" + text.substr(4)));
  EXPECT_FALSE(EnrolmentToken::parse(text.substr(0, text.size() - 1) + "="));
}

TEST(AgentCommonName, HoldsSiteAndAgent) { EXPECT_EQ(agent_common_name("hq", "room1"), "hq.room1"); }

}  // namespace
}  // namespace watchroom
