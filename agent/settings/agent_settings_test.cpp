// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/settings/agent_settings.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/link/test_certificates.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A folder with the files that a broker section and SNMP devices name.
class SettingsFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-settings-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder = pattern;
    TestCertificates{folder}.make("room1");
    std::ofstream{folder / "ups.community"} << "x\n";
    std::filesystem::permissions(folder / "ups.community", std::filesystem::perms::owner_read);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string with_devices(const std::string& devices) const {
    return "site = \"hq\"\nagent = \"room1\"\nprofiles_dir = \"" + std::string{WATCHROOM_SOURCE_DIR} +
           "/agent/profiles\"\n[broker]\nhost = \"127.0.0.1\"\nca_file = \"ca.pem\"\n"
           "certificate_file = \"room1.pem\"\nkey_file = \"room1.key\"\n" +
           devices;
  }
  std::string file() const { return (folder / "agent.toml").string(); }
  std::string problems_of(const std::string& text) const {
    Problems problems;
    EXPECT_FALSE(AgentSettings::parse(text, file(), problems));
    return problems.str();
  }
  AgentSettings good(const std::string& text) const {
    Problems problems;
    auto settings = AgentSettings::parse(text, file(), problems);
    EXPECT_TRUE(settings) << problems.str();
    return settings.value_or(AgentSettings{});
  }
  static std::string device(const std::string& id, const std::string& address,
                            const std::string& more = "profile = \"xy_md02\"\n") {
    return "[[device]]\nid = \"" + id + "\"\naddress = \"" + address + "\"\n" + more;
  }

  std::filesystem::path folder;
};

TEST_F(SettingsFolder, ReadsDevicesWithTheirClassAndOverrides) {
  const AgentSettings settings = good(with_devices(
      device("th1", "modbus-tcp://127.0.0.1:1502?unit=1") +
      device("th2", "modbus-tcp://127.0.0.1:1502?unit=2",
             "profile = \"xy_md02\"\nclass = \"core\"\nname = \"冷通道\"\npoll_interval_ms = 1000\n"
             "reply_timeout_ms = 300\ngap_ms = 5\nmax_silence_s = 20\n")));
  ASSERT_EQ(settings.devices.size(), 2u);
  const ConfiguredDevice& plain = settings.devices[0];
  EXPECT_EQ(plain.description.poll_interval, 30s);
  EXPECT_EQ(plain.description.max_silence, 60s);
  EXPECT_EQ(plain.description.name, "th1");
  EXPECT_EQ(plain.reply_timeout, 500ms);  // the profile's
  EXPECT_EQ(plain.description.points.size(), plain.sources.size());
  EXPECT_EQ(plain.description.points[0].name.str(), "ambient.temperature");
  const ConfiguredDevice& core = settings.devices[1];
  EXPECT_EQ(core.description.resource_class, ResourceClass::core);
  EXPECT_EQ(core.description.poll_interval, 1s);
  EXPECT_EQ(core.description.max_silence, 20s);
  EXPECT_EQ(core.reply_timeout, 300ms);
  EXPECT_EQ(core.description.name, "冷通道");
  EXPECT_EQ(plain.profile, core.profile);
  EXPECT_EQ(plain.address.bus(), core.address.bus());
  EXPECT_EQ(settings.data_dir, "/var/lib/watchroom/agent");
  EXPECT_EQ(settings.name, "room1");
  EXPECT_EQ(settings.journal.max_size_bytes, 512 * 1024 * 1024);
  EXPECT_THAT(settings.journal.ack_hosts, testing::ElementsAre("watchroom"));
}

TEST_F(SettingsFolder, AClassCanBePacedForAll) {
  const AgentSettings settings =
      good(with_devices("[classes]\ncore = { poll_interval_ms = 500, max_silence_s = 10 }\n" +
                        device("a", "modbus-tcp://h", "profile = \"xy_md02\"\nclass = \"core\"\n")));
  EXPECT_EQ(settings.devices[0].description.poll_interval, 500ms);
  EXPECT_EQ(settings.devices[0].description.max_silence, 10s);
}

TEST_F(SettingsFolder, AnEmptyListOfHostsMeansNone) {
  EXPECT_TRUE(good(with_devices("[journal]\nack_hosts = []\n")).journal.ack_hosts.empty());
  EXPECT_THAT(good(with_devices("[journal]\nack_hosts = [\"a\", \"b\"]\n")).journal.ack_hosts,
              testing::ElementsAre("a", "b"));
}

TEST_F(SettingsFolder, HowLongAConfigurationOfTheCentreIsOnTrialCanBeSetWithinLimits) {
  EXPECT_EQ(good(with_devices("")).configuration_trial, 10min);
  EXPECT_EQ(good(with_devices("[configuration]\ntrial_s = 30\n")).configuration_trial, 30s);
  for (const char* wrong : {"9", "86401", "-1", "\"soon\""})
    EXPECT_THAT(problems_of(with_devices(fmt::format("[configuration]\ntrial_s = {}\n", wrong))),
                HasSubstr("agent.toml:10: configuration.trial_s: "));
}

TEST_F(SettingsFolder, AHostIdMustFitIntoATopic) {
  for (const char* id : {"a/b", "a b", "#", "+", ""})
    EXPECT_THAT(problems_of(with_devices(fmt::format("[journal]\nack_hosts = [\"{}\"]\n", id))),
                HasSubstr(fmt::format("agent.toml:10: journal.ack_hosts: \"{}\" is not valid", id)));
}

TEST_F(SettingsFolder, ADeviceMustBeAskedAsOftenAsItMustBeHeardOf) {
  EXPECT_THAT(
      problems_of(
          with_devices(device("a", "modbus-tcp://h", "profile = \"xy_md02\"\npoll_interval_ms = 90000\n"))),
      HasSubstr(
          "agent.toml:13: device[0].poll_interval_ms: polled every 90000 ms but to be sent every 60 s"));
  EXPECT_THAT(
      problems_of(with_devices(device("a", "modbus-tcp://h", "profile = \"xy_md02\"\nmax_silence_s = 10\n"))),
      HasSubstr("agent.toml:13: device[0].max_silence_s: polled every 30000 ms but to be sent every 10 s"));
  EXPECT_THAT(problems_of(with_devices("[classes]\nkey = { poll_interval_ms = 61000 }\n")),
              HasSubstr("classes.key.poll_interval_ms: polled every 61000 ms"));
  good(with_devices(device("a", "modbus-tcp://h", "profile = \"xy_md02\"\npoll_interval_ms = 60000\n")));
}

TEST_F(SettingsFolder, AFolderIsNoFileAndAFileNoFolder) {
  std::string text = with_devices("");
  text.replace(text.find("\"room1.key\""), 11, "\".\"");
  EXPECT_THAT(problems_of(text), HasSubstr("agent.toml:8: broker.key_file: "));
  text = with_devices("");
  const auto at = text.find("profiles_dir");
  text.replace(at, text.find('\n', at) - at, "profiles_dir = \"room1.key\"");
  EXPECT_THAT(problems_of(text), HasSubstr("is a file, expected a folder"));
}

TEST_F(SettingsFolder, NamesBothLinesOfADuplicateId) {
  const std::string text =
      problems_of(with_devices(device("leak1", "modbus-tcp://a") + device("LEAK1", "modbus-tcp://b")));
  EXPECT_THAT(
      text, HasSubstr("agent.toml:14: device[1].id: \"LEAK1\" is taken by the device \"leak1\" in line 10"));
}

TEST_F(SettingsFolder, NamesBothLinesOfAConflictOnOneSerialLine) {
  const std::string text = problems_of(with_devices(device("a", "modbus-rtu:///dev/ttyS1?baud=9600&unit=1") +
                                                    device("b", "modbus-rtu:///dev/ttyS1?baud=4800&unit=2")));
  EXPECT_THAT(text, HasSubstr("agent.toml:15: device[1].address"));
  EXPECT_THAT(text, HasSubstr("4800 baud 8N1, but in line 11 with 9600 baud 8N1"));
}

TEST_F(SettingsFolder, AnUnknownProfileListsTheNearest) {
  const std::string text =
      problems_of(with_devices(device("a", "modbus-tcp://h", "profile = \"rle_ld200\"\n")));
  EXPECT_THAT(text, HasSubstr("agent.toml:12: device[0].profile: \"rle_ld200\" is not known"));
  EXPECT_THAT(text, HasSubstr("the nearest being rle_ld2000"));
}

TEST_F(SettingsFolder, AFolderWithoutProfilesIsNamedAsTheTrouble) {
  std::string text = with_devices(device("a", "modbus-tcp://h", "profile = \"rle_ld2000\"\n"));
  const auto at = text.find("profiles_dir");
  text.replace(at, text.find('\n', at) - at, "profiles_dir = \"/\"");
  EXPECT_THAT(problems_of(text), HasSubstr("there are no profiles in /, expected profiles_dir to name"));
}

TEST_F(SettingsFolder, AUnitOutOfRangeIsToldWithItsField) {
  EXPECT_THAT(problems_of(with_devices(device("a", "modbus-tcp://h?unit=300"))),
              HasSubstr("agent.toml:11: device[0].address.unit: 300 is out of range, expected 0 to 247"));
}

TEST_F(SettingsFolder, TellsAllProblemsAtOnce) {
  std::string text = with_devices(
      "colour = \"blue\"\n" + device("a b", "telegraph://x", "profile = \"xy_md02\"\nclass = \"vital\"\n") +
      device("c", "snmp://h", "profile = \"xy_md02\"\nmax_silence_s = 90\n"));
  text.replace(text.find("room1"), 5, "room/1");
  const std::string problems = problems_of(text);
  for (const char* words :
       {"agent: \"room/1\"", "broker.colour: unknown key", "device[0].id: \"a b\"",
        "device[0].address: \"telegraph://x\"", "device[0].class: \"vital\"", "device[1].max_silence_s: 90",
        "device[1].community_file: is missing", "does not fit the profile xy_md02"})
    EXPECT_THAT(problems, HasSubstr(words));
}

TEST_F(SettingsFolder, ASecretThatEverybodyMayReadIsRefused) {
  std::ofstream{folder / "open"} << "public\n";
  std::filesystem::permissions(folder / "open", std::filesystem::perms{0644});
  EXPECT_THAT(problems_of(with_devices(
                  device("u", "snmp://h", "profile = \"ups_mib\"\ncommunity_file = \"open\"\n"))),
              HasSubstr("everybody can read this secret"));
}

TEST_F(SettingsFolder, AnAddressThatItsProfileIsNotForIsAMistake) {
  EXPECT_THAT(problems_of(with_devices(device("a", "icmp://h", "profile = \"net_http\"\n"))),
              HasSubstr("agent.toml:11: device[0].address: \"icmp://h\" does not fit the profile net_http"));
  EXPECT_THAT(problems_of(with_devices(
                  device("a", "gpio://box?boards_dir=/nonexistent", "profile = \"gpio_contacts\"\n"))),
              HasSubstr("/nonexistent/box/board.toml: "));
  good(with_devices(device("a", "https://h/x#status=200", "profile = \"net_https\"\n")));
}

std::string fire_panel() {
  return "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"modbus\"\nsource = \"made for this test\"\n"
         "confidence = \"measured\"\n[[point]]\nname = \"fire[1].alarm\"\nunit = \"state\"\n"
         "register = { table = \"input\", address = 0, type = \"u16\" }\n"
         "states = { 0 = { zh = \"正常\", en = \"normal\" }, 1 = { zh = \"火警\", en = \"fire\" } }\n";
}

TEST_F(SettingsFolder, NothingIsSettableOnAFirePanelInWhateverProfile) {
  std::ofstream{folder / "panel.toml"} << fire_panel();
  const std::string panel = "profile = \"panel.toml\"\n",
                    relays = "profile = \"waveshare_modbus_rtu_relay\"\n";
  struct Row {
    std::string devices, field;
  };
  const std::string more = "more_profiles = [\"waveshare_modbus_rtu_relay\"]\n";
  const std::string at = "modbus-tcp://10.0.0.9";
  const std::vector<Row> rows{
      {device("a", at, panel + more), "device[0].more_profiles"},
      {device("a", at, relays + "more_profiles = [\"panel.toml\"]\n"), "device[0].more_profiles"},
      {device("a", at, panel) + device("b", at + ":502?unit=1", relays), "device[1].address"},
      {device("b", at, relays) + device("a", at, panel), "device[1].address"},
      {device("a", at, panel) + device("b", "modbus-rtu-tcp://10.0.0.9:502", relays), "device[1].address"},
      {device("a", "modbus-tcp://Panel", panel) + device("b", "modbus-tcp://panel", relays),
       "device[1].address"},
      {device("FM-200", at, relays), "device[0].profile"},
      {device("a", at, relays + "name = \"气体灭火控制器\"\n"), "device[0].profile"},
      {device("fire-panel", at) + device("b", at, relays), "device[1].address"}};
  for (const Row& row : rows) {
    const std::string problems = problems_of(with_devices(row.devices));
    EXPECT_THAT(problems, HasSubstr(row.field)) << row.devices;
    EXPECT_THAT(problems, HasSubstr("never releases extinguishing agent")) << row.devices;
  }
  good(with_devices(device("a", at, panel) + device("again", at, panel) +
                    device("b", at + "?unit=2", relays)));
  good(with_devices(device("a", at, relays + "name = \"消防控制室\"\n") + device("b", at, relays)));
}

TEST_F(SettingsFolder, AMistakeInAProfileIsToldOnceWithTheProfilesLine) {
  std::ofstream{folder / "mine.toml"} << "schema = 1\nbus = \"modbus\"\n";
  const std::string text =
      problems_of(with_devices(device("a", "modbus-tcp://h", "profile = \"mine.toml\"\n") +
                               device("b", "modbus-tcp://h", "profile = \"mine.toml\"\n")));
  EXPECT_THAT(text, HasSubstr("mine.toml:1: maker: is missing"));
  EXPECT_EQ(text.find("maker: is missing"), text.rfind("maker: is missing"));
}

TEST_F(SettingsFolder, TheAgentWatchesItselfUnlessToldOtherwise) {
  const AgentSettings usual = good(with_devices(""));
  EXPECT_TRUE(usual.self.is_enabled);
  ASSERT_TRUE(usual.self.metrics);
  EXPECT_EQ(usual.self.metrics->str(), "127.0.0.1:9464");
  const AgentSettings quiet = good(with_devices("[self]\nenabled = false\n[metrics]\nlisten = \"\"\n"));
  EXPECT_FALSE(quiet.self.is_enabled);
  EXPECT_FALSE(quiet.self.metrics);
}

TEST_F(SettingsFolder, MetricsForEverybodyAreAWarningAndNonsenseAnError) {
  Problems problems;
  const auto open =
      AgentSettings::parse(with_devices("[metrics]\nlisten = \"0.0.0.0:9464\"\n"), file(), problems);
  ASSERT_TRUE(open && problems.empty()) << problems.str();
  ASSERT_EQ(problems.warnings().size(), 1u);
  EXPECT_THAT(problems.warnings()[0].str(), HasSubstr("whoever reaches 0.0.0.0:9464 can read the figures"));
  EXPECT_THAT(
      problems_of(with_devices("[metrics]\nlisten = \"localhost:9464\"\n")),
      HasSubstr("metrics.listen: \"localhost:9464\" is not valid, expected an IP address and a port"));
}

TEST_F(SettingsFolder, NoDeviceMayTakeTheAgentsOwnId) {
  for (const char* id : {"self", "Self", "SELF"})
    EXPECT_THAT(problems_of(with_devices(device(id, "modbus-tcp://127.0.0.1:1502?unit=1"))),
                HasSubstr(fmt::format("device[0].id: \"{}\" is the agent's own, expected another id", id)));
}

TEST_F(SettingsFolder, TheDescriptionNamesEveryKeyAndNeedsNothing) {
  const std::string text = AgentSettings::describe();
  for (const char* key : {"site", "[broker]", "[journal]", "ack_hosts", "[classes.core]", "[[device]]",
                          "community_file", "max_silence_s"})
    EXPECT_THAT(text, HasSubstr(key));
}

}  // namespace
}  // namespace watchroom::agent
