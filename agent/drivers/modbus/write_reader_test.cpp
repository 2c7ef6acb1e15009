// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/modbus/register_source.hpp"

namespace watchroom::agent {
namespace {

using testing::HasSubstr;

const std::string head =
    "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"modbus\"\nsource = \"test\"\nconfidence = "
    "\"measured\"\n";
const std::string on_off =
    "states = { 0 = { zh = \"断开\", en = \"off\" }, 1 = { zh = \"吸合\", en = \"on\" } }\n";

std::string point(const std::string& name, const std::string& unit, const std::string& where) {
  return "[[point]]\nname = \"" + name + "\"\nunit = \"" + unit + "\"\nregister = { " + where + " }\n";
}

std::string relay(const std::string& where = "table = \"coil\", address = 0",
                  const std::string& name = "relay[1].state") {
  return point(name, "state", where) + on_off + "writable = true\n";
}

std::string set_point() {
  return point("cooling.temperature_set_point", "celsius",
               "table = \"holding\", address = 3, type = \"i16\", scale = 0.1") +
         "writable = true\n";
}

std::string problems_of(const std::string& body) {
  Problems problems;
  EXPECT_FALSE(Profile::parse(head + body, "p.toml", problems)) << body;
  return problems.str();
}

RegisterWrite write_of(const std::string& body) {
  Problems problems;
  const auto profile = Profile::parse(head + body, "p.toml", problems);
  EXPECT_TRUE(profile) << problems.str();
  if (!profile || !profile->points.front().is_writable) return {};
  return *profile->points.front().source.where.as<RegisterSource>().write;
}

using Contents = std::map<std::int64_t, std::int64_t>;

TEST(WritablePoint, IsWrittenAsItIsRead) {
  const RegisterWrite coil = write_of(relay());
  EXPECT_FALSE(coil.is_multiple);
  EXPECT_EQ(coil.contents, (Contents{{0, 0}, {1, 1}}));
  EXPECT_TRUE(write_of(relay() + "write = { function = \"multiple\" }\n").is_multiple);
  EXPECT_TRUE(write_of(relay("table = \"holding\", address = 0, type = \"u32\"")).is_multiple);
}

TEST(WritablePoint, MayTakeOtherContentsThanItShows) {
  const RegisterWrite board = write_of(relay("table = \"holding\", address = 1, type = \"u16\"") +
                                       "write = { on = 0x0100, off = 0x0200 }\n");
  EXPECT_EQ(board.contents, (Contents{{0, 0x0200}, {1, 0x0100}}));
}

TEST(WritablePoint, NumbersNeedTheirRange) {
  EXPECT_THAT(problems_of(set_point()), HasSubstr("needs `plausible"));
  EXPECT_FALSE(write_of(set_point() + "plausible = { min = 16, max = 30 }\n").is_multiple);
}

TEST(WritablePoint, RefusesWhatCannotBeWritten) {
  const std::vector<std::pair<std::string, std::string>> all{
      {relay("table = \"discrete\", address = 0"), "coil and holding"},
      {relay("table = \"input\", address = 0, type = \"u16\""), "coil and holding"},
      {relay("table = \"holding\", address = 0, type = \"u16\", bit = 3"), "written whole"},
      {relay("table = \"coil\", address = 0", "contact[1].state"), "contact[].state is only read"},
      {relay("table = \"coil\", address = 0", "contact[1].state"), "relay[].state"},
      {point("relay[1].state", "state", "table = \"coil\", address = 0") + on_off + "write = { on = 1 }\n",
       "without `writable = true`"},
      {relay() + "write = { pulse = 3 }\n", "unknown key"},
      {relay() + "write = { on = 65536 }\n", "from 0 to 65535"},
      {relay("table = \"holding\", address = 0, type = \"u32\"") + "write = { function = \"single\" }\n",
       "multiple"},
      {set_point() + "plausible = { min = 16, max = 30 }\nwrite = { on = 1 }\n", "states 0 and 1"}};
  for (const auto& [body, words] : all) EXPECT_THAT(problems_of(body), HasSubstr(words)) << body;
}

// People's lives hang on it: a discharge into an occupied room is the worst that software could do here.
TEST(WritablePoint, IsNeverOneThatReleasesAgent) {
  const std::string pressure =
      point("gas_cylinder.pressure", "megapascal", "table = \"holding\", address = 9, type = \"u16\"");
  const std::string fire = point("fire[1].alarm", "state", "table = \"coil\", address = 8") + on_off;
  const std::vector<std::string> all{pressure + "writable = true\nplausible = { min = 0, max = 9 }\n",
                                     fire + "writable = true\n",
                                     relay() + pressure,  // a relay on the device that watches the cylinders
                                     relay() + fire,
                                     relay("table = \"coil\", address = 0", "relay[gas_release].state"),
                                     relay("table = \"coil\", address = 0", "valve[FM200_agent].state"),
                                     relay() + "label = { zh = \"七氟丙烷喷放\", en = \"output\" }\n",
                                     relay() + "label = { zh = \"输出\", en = \"Extinguishing\" }\n",
                                     relay() + "label = { zh = \"输出\", en = \"FM-200\" }\n",
                                     relay() + "label = { zh = \"ＩＧ５４１\", en = \"output\" }\n",
                                     relay() + "label = { zh = \"启动瓶电磁阀\", en = \"output\" }\n",
                                     relay("table = \"coil\", address = 0", "valve[CO2].state")};
  for (const std::string& body : all)
    EXPECT_THAT(problems_of(body), HasSubstr("Watchroom never releases extinguishing agent")) << body;
}

TEST(WritablePoint, IsNeverOfADeviceCalledAfterExtinguishing) {
  Problems problems;
  EXPECT_FALSE(
      Profile::parse("schema = 1\nmaker = \"T\"\nmodel = \"FM-200 panel\"\nbus = \"modbus\"\n"
                     "source = \"test\"\nconfidence = \"measured\"\n" +
                         relay(),
                     "p.toml", problems));
  EXPECT_THAT(problems.str(), HasSubstr("writable: \"FM-200 panel\" tells of \"fm200\""));
}

TEST(TextPoint, NeedsItsLengthAndUnit) {
  const std::string where = "table = \"holding\", address = 516, type = \"text\"";
  const std::string good = point("device.firmware", "text", where + ", length = 8");
  Problems problems;
  const auto profile = Profile::parse(head + good, "p.toml", problems);
  ASSERT_TRUE(profile) << problems.str();
  EXPECT_EQ(profile->points[0].source.where.as<RegisterSource>().width(), 8);
  EXPECT_THAT(problems_of(point("device.firmware", "text", where)), HasSubstr("length: is missing"));
  EXPECT_THAT(problems_of(point("device.firmware", "text", where + ", length = 126")),
              HasSubstr("from 1 to 125"));
  EXPECT_THAT(
      problems_of(point("device.firmware", "text", "table = \"holding\", address = 1, type = \"u16\"")),
      HasSubstr("expected \"text\""));
  EXPECT_THAT(problems_of(point("ups.temperature", "celsius", where + ", length = 8")),
              HasSubstr("for what is of type text"));
  EXPECT_THAT(problems_of(point("device.firmware", "text", where + ", length = 8, bit = 3")),
              HasSubstr("bit"));
  EXPECT_THAT(problems_of("[modbus]\nmax_registers = 4\n" + good),
              HasSubstr("the 4 registers of one request"));
  EXPECT_THAT(problems_of(point("device.firmware", "text", where + ", length = 8") + "writable = true\n"),
              HasSubstr("only read"));
}

}  // namespace
}  // namespace watchroom::agent
