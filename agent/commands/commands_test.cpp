// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/commands/commands.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/drivers/modbus/modbus_peer.hpp"
#include "agent/drivers/modbus/queueing_peer.hpp"

namespace watchroom::agent {
namespace {

using testing::HasSubstr;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

template <typename Command>
Outcome run(Command command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = command();
  std::fflush(nullptr);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

ProbeOptions options(const std::string& url, const std::string& profile, bool json = false) {
  ProbeOptions made;
  made.url = url;
  made.profile = profile;
  made.profiles_dir = std::filesystem::path{WATCHROOM_SOURCE_DIR} / "agent" / "profiles";
  made.json = json;
  return made;
}

TEST(ProbeCommand, PrintsALineAPoint) {
  ModbusPeer peer;
  peer.set_input(0, {1, 12, 0, 180, 50, 459, 460});
  const Outcome outcome = run([&] { return probe_command(options(peer.url(3), "rle_ld2000")); });
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::ContainsRegex("leak.state +1 +wet +good +input 0 mask 0x1"));
  EXPECT_THAT(outcome.out, testing::ContainsRegex("leak.distance +12 m +good +input 1"));
}

TEST(ProbeCommand, PrintsAJsonLineAPoint) {
  ModbusPeer peer;
  peer.set_input(1, {231, 2000});
  const Outcome outcome = run([&] { return probe_command(options(peer.url(1), "xy_md02", true)); });
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::istringstream lines{outcome.out};
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line),
            nlohmann::json::parse(R"({"point": "ambient.temperature", "value": 23.1, "unit": "celsius",
                                      "state": null, "quality": "good", "source": "input 1"})"));
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["value"], nullptr);
  EXPECT_EQ(nlohmann::json::parse(line)["quality"], "bad");
}

TEST(ProbeCommand, TellsWrongInputFromADeviceThatIsSilent) {
  EXPECT_EQ(run([] { return probe_command(options("telegraph://x", "xy_md02")); }).code, 2);
  EXPECT_EQ(run([] { return probe_command(options("modbus-tcp://h?unit=900", "xy_md02")); }).code, 2);
  const Outcome unknown = run([] { return probe_command(options("modbus-tcp://127.0.0.1:9", "nothing")); });
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("nothing.toml"));
  const Outcome wrong_bus = run([] { return probe_command(options("modbus-tcp://127.0.0.1:9", "ups_mib")); });
  EXPECT_EQ(wrong_bus.code, 2);
  ModbusPeer peer;
  peer.behave([](const ModbusPeer::Asked&) { return ModbusPeer::Deed{ModbusPeer::Deed::Kind::silence}; });
  const Outcome silent = run([&] { return probe_command(options(peer.url(1), "xy_md02")); });
  EXPECT_EQ(silent.code, 1);
  EXPECT_THAT(silent.err, HasSubstr("no answer within 500 ms"));
}

TEST(ProbeCommand, AHostThatIsDownIsAReading) {
  int port = 0;
  { port = ModbusPeer{}.port(); }
  ProbeOptions closed = options("tcp://127.0.0.1:" + std::to_string(port), "", true);
  closed.profile.reset();
  const Outcome outcome = run([&] { return probe_command(closed); });
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto line = nlohmann::json::parse(outcome.out.substr(0, outcome.out.find('\n')));
  EXPECT_EQ(line["point"], "reachability.state");
  EXPECT_EQ(line["value"], 0);
  EXPECT_EQ(line["state"], "down");
  EXPECT_EQ(line["quality"], "good");
  const Outcome misfit = run([] { return probe_command(options("tcp://127.0.0.1:9", "net_icmp")); });
  EXPECT_EQ(misfit.code, 2);
  EXPECT_THAT(misfit.err, HasSubstr("expected an address that net_icmp is for"));
}

WriteOptions order(const std::string& url, const std::string& point, const std::string& value) {
  WriteOptions made;
  made.url = url;
  made.point = point;
  made.value = value;
  made.profile = "waveshare_modbus_rtu_relay";
  made.profiles_dir = std::filesystem::path{WATCHROOM_SOURCE_DIR} / "agent" / "profiles";
  made.is_confirmed = true;
  return made;
}

TEST(WriteCommand, SetsAPointByCodeOrTextAndReadsItBack) {
  ModbusPeer peer{1};
  for (const auto& [value, is_on] : std::vector<std::pair<std::string, bool>>{
           {"on", true}, {"0", false}, {"吸合", true}, {"off", false}}) {
    const Outcome outcome =
        run([&, &written = value] { return write_command(order(peer.url(1), "relay[3].state", written)); });
    EXPECT_EQ(outcome.code, 0) << outcome.err << outcome.out;
    EXPECT_EQ(peer.coil(2), is_on) << value;
    EXPECT_THAT(outcome.out, HasSubstr("一致 agrees"));
    EXPECT_THAT(outcome.out, HasSubstr(is_on ? "read:    1 吸合 on" : "read:    0 断开 off"));
  }
}

TEST(WriteCommand, PrintsJson) {
  ModbusPeer peer;
  WriteOptions options_ = order(peer.url(1), "relay[1].state", "on");
  options_.json = true;
  const Outcome outcome = run([&] { return write_command(options_); });
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(
      nlohmann::json::parse(outcome.out),
      nlohmann::json::parse(R"({"point": "relay[1].state", "unit": "state", "source": "coil 0", "before": 0,
                                      "written": 1, "read_back": 1, "doubt": null, "agrees": true})"));
}

TEST(WriteCommand, FailsWhenWhatIsReadBackDoesNotAgree) {
  ModbusPeer peer;
  peer.behave([](const ModbusPeer::Asked& asked) {
    using Deed = ModbusPeer::Deed;
    return asked.function == 5 ? Deed{Deed::Kind::silence} : Deed{};
  });
  const Outcome outcome = run([&] { return write_command(order(peer.url(1), "relay[1].state", "on")); });
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("Whether the device did it is unknown"));
  EXPECT_THAT(outcome.out, HasSubstr("DOES NOT AGREE"));
}

TEST(WriteCommand, RefusesBeforeAnythingIsSent) {
  ModbusPeer peer;
  const auto refused = [&](WriteOptions wrong, const std::string& words) {
    const Outcome outcome = run([&] { return write_command(wrong); });
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(words));
  };
  refused(order(peer.url(1), "relay[9].state", "on"), "no point \"relay[9].state\"");
  refused(order(peer.url(1), "relay[1].state", "half"), "0 断开 off, 1 吸合 on");
  refused(order(peer.url(1), "relay[1].state", "2"), "no state");
  WriteOptions sensor = order(peer.url(1), "ambient.temperature", "20");
  sensor.profile = "xy_md02";
  refused(sensor, "not writable");
  WriteOptions unconfirmed = order(peer.url(1), "relay[1].state", "on");
  unconfirmed.is_confirmed = false;  // and ctest has no terminal
  if (::isatty(STDIN_FILENO) == 0) refused(unconfirmed, "--yes");
  EXPECT_TRUE(peer.asked().empty());
}

ScanOptions range(std::string url, const std::string& units) {
  ScanOptions made;
  made.url = url.replace(url.rfind('=') + 1, std::string::npos, units);
  made.profiles_dir = std::filesystem::path{WATCHROOM_SOURCE_DIR} / "agent" / "profiles";
  made.reply_timeout = std::chrono::milliseconds{100};
  return made;
}

TEST(ScanCommand, FindsSerialUnitsThatDoNotSayWhatTheyAre) {
  using Asked = QueueingPeer::Asked;
  QueueingPeer peer{QueueingPeer::Over::pty, [](const Asked& asked, int) {
                      QueueingPeer::Reply reply;
                      const bool refuses = asked.unit == 2 && asked.function == 43;
                      if (refuses) reply.exception = 1;
                      reply.is_lost = asked.unit == 1 || (asked.unit == 3 && asked.function != 4);
                      return reply;
                    }};
  const Outcome outcome = run([&] { return scan_command(range(peer.url(1), "1-3")); });
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("2 of 3 addresses answered"));
  EXPECT_THAT(outcome.out, HasSubstr("unit=2"));
  EXPECT_THAT(outcome.out, HasSubstr("unit=3"));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("checksum")));
}

TEST(ScanCommand, FindsAUnitBehindAGatewayThatIsSilentToFunction43AndNoneThatTheGatewayMisses) {
  ModbusPeer peer;
  peer.behave([](const ModbusPeer::Asked& asked) {
    using Deed = ModbusPeer::Deed;
    if (asked.unit != 2) return Deed{.kind = Deed::Kind::exception, .exception = 11};
    return Deed{.kind = asked.function == 43 ? Deed::Kind::silence : Deed::Kind::answer};
  });
  const Outcome outcome = run([&] { return scan_command(range(peer.url(1), "1-3")); });
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("1 of 3 addresses answered"));
  EXPECT_THAT(outcome.out, HasSubstr("unit=2"));
}

TEST(ScanCommand, TellsOnceWhyALineCannotBeAsked) {
  const auto missing = range("modbus-rtu:///nonexistent?baud=9600&parity=N&unit=1", "1-30");
  Outcome outcome = run([&] { return scan_command(missing); });
  EXPECT_EQ(outcome.code, 1);
  const std::string words = "cannot be opened: No such file or directory";
  const auto first = outcome.err.find(words);
  EXPECT_NE(first, std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find(words, first + 1), std::string::npos) << outcome.err;

  QueueingPeer noisy{QueueingPeer::Over::pty, [](const QueueingPeer::Asked&, int) {
                       return QueueingPeer::Reply{.has_bad_checksum = true};
                     }};
  outcome = run([&] { return scan_command(range(noisy.url(1), "1-2")); });
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("unit=1: a reply with a bad checksum"));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("unit=2:")));
}

TEST(ScanCommand, AsksNoMoreUnitsOfAHostThatRefuses) {
  int port = 0;
  { port = ModbusPeer{}.port(); }
  const auto scan = [&](const std::string& units) {
    const auto began = std::chrono::steady_clock::now();
    const Outcome outcome = run([&] {
      return scan_command(range("modbus-tcp://127.0.0.1:" + std::to_string(port) + "?unit=1", units));
    });
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("Connection refused"));
    return std::chrono::steady_clock::now() - began;
  };
  const auto of_one_unit = scan("1-1");  // most of it reads profiles
  EXPECT_LT(scan("1-247"), 2 * of_one_unit + std::chrono::seconds{5});
}

TEST(CheckCommand, PrintsEveryProblemAndFails) {
  const auto file =
      std::filesystem::temp_directory_path() / ("watchroom-check-" + std::to_string(::getpid()));
  std::ofstream{file} << "site = \"a b\"\ncolour = 1\n";
  const Outcome outcome = run([&] { return check_command(file); });
  std::filesystem::remove(file);
  EXPECT_EQ(outcome.code, 2);
  for (const char* words : {":1: site: \"a b\"", ":2: colour: unknown key", "broker.host: is missing"})
    EXPECT_THAT(outcome.err, HasSubstr(words));
  EXPECT_EQ(run([] { return check_command("/nonexistent/agent.toml"); }).code, 2);
}

TEST(CheckCommand, TellsAScriptEachProblemWithItsPlace) {
  const auto file =
      std::filesystem::temp_directory_path() / ("watchroom-check-json-" + std::to_string(::getpid()));
  std::ofstream{file} << "site = \"a b\"\ncolour = 1\n";
  const Outcome outcome = run([&] { return check_command(file, true); });
  std::filesystem::remove(file);
  EXPECT_EQ(outcome.code, 2);
  const auto error = nlohmann::json::parse(outcome.out).at("error");
  EXPECT_EQ(error.at("code"), "invalid");
  const auto is_colour = [](const auto& one) { return one.at("field") == "colour" && one.at("line") == 2; };
  EXPECT_TRUE(std::ranges::any_of(error.at("problems"), is_colour)) << outcome.out;
}

TEST(InhibitCommand, TellsWrongInputAsJsonToo) {
  InhibitOptions options;
  options.lasting = "25h";
  options.json = true;
  const Outcome outcome = run([&] { return inhibit_command(options); });
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(nlohmann::json::parse(outcome.out).at("error").at("code"), "invalid");
  EXPECT_THAT(outcome.err, HasSubstr("24h at most"));
}

TEST(ProbeCommand, TellsAnAddressThatIsNoneAsJsonToo) {
  ProbeOptions options;
  options.url = "telegraph://127.0.0.1";
  options.json = true;
  const Outcome outcome = run([&] { return probe_command(options); });
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(nlohmann::json::parse(outcome.out).at("error").at("code"), "invalid");
  EXPECT_THAT(outcome.err, HasSubstr("telegraph"));
}

TEST(DescribeCommand, PrintsTheReference) {
  const Outcome outcome = run([] { return describe_command(); });
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("[[device]]"));
}

}  // namespace
}  // namespace watchroom::agent
