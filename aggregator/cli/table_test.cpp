// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/table.hpp"

#include <gtest/gtest.h>

namespace watchroom::cli {
namespace {

TEST(Table, ChineseTakesTwoColumns) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("北侧水浸"), 8u);
  EXPECT_EQ(display_width("23.5 °C"), 7u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(display_width("—"), 1u);
  EXPECT_EQ(display_width("（）"), 4u);
}

TEST(Table, ColumnsAlignWhateverTheScript) {
  Table table{{"设备", "value"}};
  table.add({"北侧水浸", "有水"});
  table.add({"th1", "23.5 °C"});
  EXPECT_EQ(table.str(Console{}),
            "设备      value\n"
            "北侧水浸  有水\n"
            "th1       23.5 °C\n");
}

TEST(Table, ColoursDoNotShiftColumnsAndAreAbsentWithoutATerminal) {
  Table table{{"a", "b"}};
  table.add({Cell{"x", Colour::red}, "y"});
  EXPECT_EQ(table.str(Console{.has_colours = true}),
            "\x1b[1ma\x1b[0m  \x1b[1mb\x1b[0m\n\x1b[31mx\x1b[0m  y\n");
  EXPECT_EQ(table.str(Console{}), "a  b\nx  y\n");
}

TEST(Table, ADeviceCannotCommandTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\rc\xc2\x9b\xff"), "a\ufffd[2Jb\ufffdc\ufffd\ufffd");
  EXPECT_EQ(printable("北侧水浸"), "北侧水浸");
}

}  // namespace
}  // namespace watchroom::cli
