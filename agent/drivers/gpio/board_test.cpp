// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string head = "schema = 1\nname = \"Box\"\nsource = \"its manual, p. 7\"\n";

std::string line(const std::string& keys) { return "[[line]]\n" + keys; }

std::string problems_of(const std::string& text) {
  Problems problems;
  EXPECT_FALSE(Board::parse(text, "board.toml", problems)) << text;
  return problems.str();
}

TEST(Board, ReadsItsLines) {
  Problems problems;
  const auto board = Board::parse(
      head +
          line("name = \"DI1\"\nchip = \"gpiochip0\"\noffset = 7\nactive_low = true\nbias = \"pull_up\"\n"
               "debounce_ms = 50\n") +
          line("name = \"DI2\"\nkernel_name = \"X4-2\"\n"),
      "board.toml", problems);
  ASSERT_TRUE(board) << problems.str();
  const BoardLine* first = board->line("DI1");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->chip, "gpiochip0");
  EXPECT_EQ(std::get<unsigned>(first->where), 7u);
  EXPECT_TRUE(first->is_active_low);
  EXPECT_EQ(first->bias, LineBias::pull_up);
  EXPECT_EQ(first->debounce, 50ms);
  EXPECT_EQ(std::get<std::string>(board->line("DI2")->where), "X4-2");
  EXPECT_EQ(board->line("DI2")->debounce, 20ms);
  EXPECT_EQ(board->line("DI3"), nullptr);
}

TEST(Board, SaysWhatIsWrongAndWhere) {
  const std::string good = "name = \"DI1\"\nchip = \"gpiochip0\"\noffset = 7\n";
  EXPECT_THAT(problems_of(head), HasSubstr("line: is missing, expected at least one [[line]]"));
  EXPECT_THAT(problems_of(head + line(good + "colour = 1\n")), HasSubstr("board.toml:8: line[0].colour"));
  EXPECT_THAT(problems_of(head + line("name = \"a b\"\nkernel_name = \"x\"\n")),
              HasSubstr("board.toml:5: line[0].name: \"a b\""));
  EXPECT_THAT(problems_of(head + line("name = \"a\"\n")),
              HasSubstr("either `chip` and `offset`, or `kernel_name`"));
  EXPECT_THAT(problems_of(head + line("name = \"a\"\noffset = 1\n")), HasSubstr("chip"));
  EXPECT_THAT(problems_of(head + line(good + "bias = \"up\"\n")), HasSubstr("bias: \"up\" is not valid"));
  EXPECT_THAT(problems_of(head + line(good + "debounce_ms = 20000\n")), HasSubstr("debounce_ms"));
  EXPECT_THAT(problems_of(head + line(good) + line(good)), HasSubstr("DI1 is taken by the line of line 4"));
  EXPECT_THAT(problems_of(head + line(good) + line("name = \"b\"\nchip = \"gpiochip0\"\noffset = 7\n")),
              HasSubstr("gpiochip0 offset 7 is taken"));
}

TEST(Board, EveryBoardOfTheTreeIsGood) {
  const std::filesystem::path folder = std::filesystem::path{WATCHROOM_SOURCE_DIR} / "boards";
  int boards = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    if (!entry.is_directory()) continue;
    Problems problems;
    EXPECT_TRUE(Board::load(entry.path() / "board.toml", problems)) << problems.str();
    ++boards;
  }
  EXPECT_GT(boards, 0);
}

}  // namespace
}  // namespace watchroom::agent
