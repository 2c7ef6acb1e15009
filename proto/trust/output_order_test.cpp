// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/output_order.hpp"

#include <gmock/gmock.h>

namespace watchroom {
namespace {

using namespace std::chrono_literals;

const OutputOrder siren{"siren", OutputTarget::on, "wang", 10s, 600s};

TEST(OutputOrder, IsReadAsItWasWritten) {
  for (const OutputTarget to : {OutputTarget::automatic, OutputTarget::off, OutputTarget::on}) {
    OutputOrder order = siren;
    order.to = to;
    const auto read = read_output_order(to_body(order));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(*read, order);
  }
}

TEST(OutputOrder, WhatIsNotExactlyOneIsRefusedWithTheReason) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "expected output, to"},
      {"[]", "expected output, to"},
      {R"({"output":"siren","to":"on","by":"wang","within_s":10})", "expected output, to"},
      {R"({"output":"siren","to":"on","by":"wang","within_s":10,"lasting_s":600,"more":1})",
       "expected output, to"},
      {R"({"output":"","to":"on","by":"wang","within_s":10,"lasting_s":600})", "output is not"},
      {R"({"output":7,"to":"on","by":"wang","within_s":10,"lasting_s":600})", "output is not"},
      {R"({"output":"siren","to":"up","by":"wang","within_s":10,"lasting_s":600})", "to is not"},
      {R"({"output":"siren","to":"on","by":null,"within_s":10,"lasting_s":600})", "by is not"},
      {R"({"output":"siren","to":"on","by":"wang","within_s":1,"lasting_s":600})", "within_s is not"},
      {R"({"output":"siren","to":"on","by":"wang","within_s":-5,"lasting_s":600})", "within_s is not"},
      {R"({"output":"siren","to":"on","by":"wang","within_s":10,"lasting_s":86401})", "lasting_s is not"},
      {R"({"output":"siren","to":"on","by":"wang","within_s":10,"lasting_s":9})", "lasting_s is not"},
      {R"({"output":"siren","to":"on","by":"wang","within_s":10,"lasting_s":1e99})", "lasting_s is not"},
  };
  for (const auto& [body, words] : wrong) {
    const auto read = read_output_order(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().code, Errc::corrupt);
    EXPECT_THAT(read.error().text, testing::HasSubstr(words)) << body;
  }
}

}  // namespace
}  // namespace watchroom
