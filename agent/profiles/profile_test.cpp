// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/snmp/object_source.hpp"

namespace watchroom::agent {
namespace {

const std::string modbus_head =
    "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"modbus\"\nsource = \"test\"\nconfidence = "
    "\"measured\"\n";
const std::string snmp_head =
    "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"snmp\"\nsource = \"test\"\nconfidence = "
    "\"measured\"\n";

std::string temperature(const std::string& where) {
  return "[[point]]\nname = \"ambient.temperature\"\nunit = \"celsius\"\nregister = { " + where + " }\n";
}

/// All complaints about a profile that must be refused.
std::string problems_of(const std::string& text) {
  Problems problems;
  EXPECT_FALSE(Profile::parse(text, "p.toml", problems)) << text;
  return problems.str();
}

TEST(Profile, AMarkerOfNoValueIsOneThatTheWholeRegisterCanHold) {
  const auto point = [](const std::string& where) {
    return modbus_head +
           "[[point]]\nname = \"leak.state\"\nunit = \"state\"\nregister = { table = \"input\", " +
           "address = 0, " + where + " }\nstates = { 0 = { zh = \"a\", en = \"a\" } }\n";
  };
  for (const char* right :
       {"type = \"u16\", bit = 3, invalid = [0xFFFF]", "type = \"i16\", invalid = [-32768]"}) {
    Problems problems;
    EXPECT_TRUE(Profile::parse(point(right), "p.toml", problems)) << problems.str();
  }
  EXPECT_THAT(problems_of(point("type = \"u16\", bit = 3, invalid = [0x10000]")),
              testing::HasSubstr("0 to 65535"));
  EXPECT_THAT(problems_of(point("type = \"i16\", invalid = [0x8000]")),
              testing::HasSubstr("-32768 to 32767"));
}

TEST(Profile, TellsFileLineAndWhatWasExpected) {
  const std::string text = modbus_head + temperature("table = \"inputs\", address = 0, type = \"i16\"");
  EXPECT_EQ(
      problems_of(text),
      "p.toml:10: point[0].register.table: \"inputs\" is not valid, expected one of \"holding\" \"input\" "
      "\"discrete\" \"coil\"\n");
}

TEST(Profile, TellsEverythingAtOnce) {
  const std::string text = problems_of("schema = 2\nbus = \"modbus\"\nsource = \"t\"\nmodell = \"x\"\n" +
                                       temperature("table = \"input\", address = 65536, type = \"u15\""));
  for (const char* words : {"schema", "maker", "model: is missing", "modell: unknown key", "confidence",
                            "address: 65536", "type: \"u15\""})
    EXPECT_THAT(text, testing::HasSubstr(words));
}

TEST(Profile, AnUnknownNameBlamesNoUnit) {
  const std::string text = modbus_head + temperature("table = \"input\", address = 0, type = \"i16\"") +
                           "[[point]]\nname = \"ambient.joy\"\nunit = \"volt\"\n"
                           "register = { table = \"input\", address = 3, type = \"u16\" }\n";
  EXPECT_THAT(problems_of(text), testing::Not(testing::HasSubstr("unit")));
}

struct Refused {
  std::string text;
  std::string words;
};

TEST(Profile, RefusesWhatCannotBe) {
  const std::string states = "states = { 0 = { zh = \"a\", en = \"a\" } }\n";
  const auto state = [&](const std::string& where) {
    return "[[point]]\nname = \"leak.state\"\nunit = \"state\"\nregister = { " + where + " }\n";
  };
  const std::string u16 = "table = \"input\", address = 0, type = \"u16\"";
  const std::vector<Refused> all{
      {modbus_head, "point"},
      {modbus_head + temperature(u16) + temperature(u16), "each point once"},
      {modbus_head + "[[point]]\nname = \"ambient.joy\"\nunit = \"celsius\"\nregister = { " + u16 + " }\n",
       "is not a known point"},
      {modbus_head + "[[point]]\nname = \"ambient.temperature\"\nunit = \"volt\"\nregister = { " + u16 +
           " }\n",
       "expected \"celsius\""},
      {modbus_head + temperature("table = \"input\", address = 65535, type = \"f32\""), "from 0 to 65534"},
      {modbus_head + temperature("table = \"coil\", address = 0, type = \"u16\""), "\"bit\" in the tables"},
      {modbus_head + temperature(u16 + ", scale = 0"), "other than 0"},
      {modbus_head + temperature(u16 + ", colour = 1"), "unknown key"},
      {modbus_head + temperature("table = \"input\", address = 0, type = \"f32\", bit = 3"),
       "unless the type"},
      {modbus_head + temperature(u16) + "plausible = { min = 5, max = 4 }\n", "more than min"},
      {modbus_head + temperature(u16) + states, "only with unit \"state\""},
      {modbus_head + state(u16), "states"},
      {modbus_head + state(u16 + ", scale = 0.1") + states, "no scale"},
      {modbus_head + state(u16 + ", bit = 16") + states, "from 0 to 15"},
      {modbus_head + state(u16 + ", bit = 1, mask = 3") + states, "either"},
      {modbus_head + temperature(u16 + ", factor = { address = 1, codes = { a = 1 } }"), "code = factor"},
      {snmp_head + "[[point]]\nname = \"ambient.temperature\"\nunit = \"celsius\"\noid = \"sysDescr\"\n",
       "numeric OID"},
      {snmp_head + "[[point]]\nname = \"ambient[*].temperature\"\nunit = \"celsius\"\noid = \"1.3.6.1\"\n",
       "no [*] without table"},
      {snmp_head +
           "[[point]]\nname = \"ambient.temperature\"\nunit = \"celsius\"\noid = \"1.3.6\"\ntable = true\n",
       "[*] where"},
      {modbus_head + temperature(u16) + "[[sample]]\norigin = \"x\"\nreply = \"01 0\"\nexpect = {}\n",
       "bytes as hex"},
  };
  for (const Refused& one : all)
    EXPECT_THAT(problems_of(one.text), testing::HasSubstr(one.words)) << one.text;
}

TEST(Profile, RowsBecomePointsInTheProfilesOrder) {
  Problems problems;
  const auto profile =
      Profile::parse(snmp_head +
                         "[[point]]\nname = \"output[*].voltage\"\nunit = \"volt\"\n"
                         "oid = \"1.3.6.1.2\"\ntable = true\ninstance_prefix = \"L\"\n"
                         "[[point]]\nname = \"battery.charge\"\nunit = \"percent\"\noid = \"1.3.6.9\"\n"
                         "[[point]]\nname = \"ups.temperature\"\nunit = \"celsius\"\n"
                         "oid = \"1.3.6.8\"\noptional = true\n",
                     "p.toml", problems);
  ASSERT_TRUE(profile) << problems.str();
  const auto names = [](const DevicePoints& points) {
    std::vector<std::string> all;
    for (const auto& one : points.descriptions) all.push_back(one.name.str());
    return all;
  };
  EXPECT_THAT(names(points_of(*profile, {})), testing::ElementsAre("battery.charge"));
  const DevicePoints points = points_of(
      *profile, {{"output[*].voltage", {1}}, {"output[*].voltage", {2, 7}}, {"ups.temperature", {}}});
  EXPECT_THAT(names(points), testing::ElementsAre("output[L1].voltage", "output[L2-7].voltage",
                                                  "battery.charge", "ups.temperature"));
  EXPECT_EQ(oid_text(points.sources[1].where.as<ObjectSource>().oid), "1.3.6.1.2.2.7");
}

TEST(Profile, ARowIsCalledWhatTheDeviceCallsIt) {
  Problems problems;
  const auto profile =
      Profile::parse(snmp_head +
                         "[[point]]\nname = \"outlet[*].current\"\nunit = \"ampere\"\noid = \"1.3.6.1.2\"\n"
                         "table = true\nlabel_columns = [\"1.3.6.1.3\"]\n",
                     "p.toml", problems);
  ASSERT_TRUE(profile) << problems.str();
  const DevicePoints points =
      points_of(*profile, {{"outlet[*].current", {3}, "web-01"}, {"outlet[*].current", {4}}});
  ASSERT_EQ(points.called.size(), 2u);
  const auto label = points.descriptions[0].label(points.called[0]);
  ASSERT_TRUE(label);
  EXPECT_THAT(label->zh, testing::EndsWith(" 3 · web-01"));
  EXPECT_THAT(label->en, testing::EndsWith(" 3 · web-01"));
  EXPECT_FALSE(points.descriptions[1].label(points.called[1]));
  EXPECT_TRUE(points_of(*profile, {{"outlet[*].current", {3}}}).called.empty());
}

TEST(Profile, NamesTrapsWithOrWithoutTheZeroOfVersion1) {
  Problems problems;
  const std::string text = snmp_head +
                           "[[point]]\nname = \"outlet[*].current\"\nunit = \"ampere\"\noid = \"1.3.6.1.2\"\n"
                           "table = true\n[[trap]]\noid = \"1.3.6.1.4.1.9.0.5\"\n"
                           "text = { zh = \"断电\", en = \"Power failed\" }\n";
  const auto profile = Profile::parse(text, "p.toml", problems);
  ASSERT_TRUE(profile) << problems.str();
  const auto& traits = profile->traits.as<SnmpTraits>();
  for (const char* oid : {"1.3.6.1.4.1.9.0.5", "1.3.6.1.4.1.9.5"}) {
    const ProfileTrap* trap = traits.trap_named(*parse_oid(oid));
    ASSERT_TRUE(trap) << oid;
    EXPECT_EQ(trap->text.en, "Power failed");
  }
  EXPECT_FALSE(traits.trap_named(*parse_oid("1.3.6.1.4.1.9.0.6")));
  EXPECT_EQ(point_at(*profile, *parse_oid("1.3.6.1.2.7"))->name, "outlet[7].current");
  EXPECT_FALSE(point_at(*profile, *parse_oid("1.3.6.1.2")));
  EXPECT_THAT(problems_of(snmp_head + "[[trap]]\noid = \"x\"\n"), testing::HasSubstr("numeric OID"));
  const auto both =
      combined(*profile, *Profile::parse(snmp_head + "[[point]]\nname = \"outlet[*].power\"\n"
                                                     "unit = \"watt\"\noid = \"1.3.6.1.3\"\n"
                                                     "table = true\n[[trap]]\noid = \"1.3.6.1.4.1.8.0.1\"\n"
                                                     "text = { zh = \"过载\", en = \"Overload\" }\n",
                                         "q.toml", problems));
  for (const char* oid : {"1.3.6.1.4.1.9.0.5", "1.3.6.1.4.1.8.0.1"})
    EXPECT_TRUE(both.traits.as<SnmpTraits>().trap_named(*parse_oid(oid))) << oid;
}

TEST(Profile, AnObjectIsTakenApartInOneWayOnly) {
  const std::string flags = snmp_head +
                            "[[point]]\nname = \"leak.state\"\nunit = \"state\"\noid = \"1.3.6.1.2.0\"\n"
                            "states = { 0 = { zh = \"a\", en = \"a\" } }\n";
  Problems problems;
  EXPECT_TRUE(Profile::parse(flags + "bit = 3\n", "p.toml", problems)) << problems.str();
  EXPECT_TRUE(Profile::parse(flags + "texts = { ON = 1, OFF = 0 }\n", "p.toml", problems)) << problems.str();
  EXPECT_THAT(problems_of(flags + "bit = 3\nmask = 2\n"), testing::HasSubstr("one of `bit`"));
  EXPECT_THAT(problems_of(flags + "label_columns = [\"1.3.6\"]\n"), testing::HasSubstr("table = true"));
}

TEST(Oid, IsNumericOnly) {
  EXPECT_EQ(parse_oid(".1.3.6.1"), (Oid{1, 3, 6, 1}));
  for (const char* wrong : {"", ".", "1", "1.", "1..3", "1.3.x", "1.-3", "1.3.4294967296", "iso.3"})
    EXPECT_FALSE(parse_oid(wrong)) << wrong;
}

}  // namespace
}  // namespace watchroom::agent
