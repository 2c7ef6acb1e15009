// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/settings.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace watchroom {
namespace {

using namespace std::chrono_literals;

TEST(Settings, TellsEveryProblemAtOnceWithLineAndExpectation) {
  Problems problems;
  const auto table =
      SettingsTable::parse("port = 99999\nhots = \"x\"\nwait_s = \"long\"\n", "a.toml", problems);
  ASSERT_TRUE(table);
  (void)table->integer("port", {.help = "", .least = 1, .most = 65535});
  (void)table->text("host", {.help = ""});
  (void)table->duration("wait_s", {.help = "", .fallback = 5s, .least = 1s, .most = 60s});
  table->finish();
  EXPECT_EQ(problems.str(),
            "a.toml:1: port: 99999 is not valid, expected an integer from 1 to 65535\n"
            "a.toml:1: host: is missing, expected a text\n"
            "a.toml:2: hots: unknown key, did you mean \"host\"?\n"
            "a.toml:3: wait_s: \"long\" is not valid, expected an integer from 1 to 60\n");
}

TEST(Settings, NamesThePlaceInsideArraysOfTables) {
  Problems problems;
  const auto table =
      SettingsTable::parse("[[device]]\nid = \"a\"\n[[device]]\nunit = 1\n", "a.toml", problems);
  for (const auto& device : table->tables("device")) {
    (void)device.text("id", {.help = ""});
    (void)device.optional_integer("unit", {.help = ""});
    device.finish();
  }
  EXPECT_EQ(problems.str(), "a.toml:3: device[1].id: is missing, expected a text\n");
}

TEST(Settings, ReportsASyntaxErrorWithItsLine) {
  Problems problems;
  EXPECT_FALSE(SettingsTable::parse("a = 1\nb = = 2\n", "a.toml", problems));
  ASSERT_EQ(problems.all().size(), 1u);
  EXPECT_EQ(problems.all()[0].line, 2);
}

TEST(Settings, ASignOutsideQuotesIsAnErrorOfItsLine) {
  for (const std::string sign : {"、", "。", "，", "é", "\xcc\xaa"}) {
    Problems problems;
    EXPECT_FALSE(SettingsTable::parse("a = 1\nb = 2" + sign + "\n", "a.toml", problems)) << sign;
    EXPECT_EQ(problems.str().rfind("a.toml:2: ", 0), 0u) << problems.str();
  }
  Problems problems;
  const auto table = SettingsTable::parse("a = \"\"\"\\\n、机房\"\"\"\n", "a.toml", problems);
  ASSERT_TRUE(table) << problems.str();
  EXPECT_EQ(table->text("a", {.help = ""}), "、机房");
}

TEST(Settings, AMissingFileIsAProblemNotACrash) {
  Problems problems;
  EXPECT_FALSE(SettingsTable::load("/nowhere/agent.toml", problems));
  EXPECT_EQ(problems.str(), "/nowhere/agent.toml: cannot be read, expected a TOML file\n");
}

TEST(Settings, RefusesNotANumber) {
  Problems problems;
  const auto table = SettingsTable::parse("limit = nan\n", "a.toml", problems);
  (void)table->number("limit", {.help = "", .least = 0, .most = 10});
  EXPECT_FALSE(problems.empty());
}

TEST(Settings, DescribesItselfThroughTheCodeThatReads) {
  Problems problems;
  std::vector<KeyDescription> keys;
  const SettingsTable table = SettingsTable::describing(keys, problems);
  (void)table.text("site", {.help = "Where it stands"});
  (void)table.table("broker").integer("port",
                                      {.help = "TLS port", .fallback = 8883, .least = 1, .most = 65535});
  EXPECT_EQ(to_toml_reference(keys),
            "# Where it stands (text)\nsite =   # required\n"
            "\n[broker]\n# TLS port (an integer from 1 to 65535)\n# port = 8883\n");
  EXPECT_TRUE(problems.empty());
}

TEST(Settings, RefusesASecretThatEverybodyCanRead) {
  const std::string file = ::testing::TempDir() + "/secret";
  std::ofstream{file} << "s3cret\n";
  ::chmod(file.c_str(), 0644);
  EXPECT_FALSE(read_secret(file));
  ::chmod(file.c_str(), 0600);
  const auto secret = read_secret(file);
  ASSERT_TRUE(secret);
  EXPECT_EQ(*secret, "s3cret");
}

}  // namespace
}  // namespace watchroom
