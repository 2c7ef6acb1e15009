// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Against net-snmp's own daemon: real datagrams, real keys.
#include "agent/drivers/snmp/snmp.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <poll.h>

#include "agent/drivers/name_server_peer.hpp"
#include "agent/drivers/snmp/snmp_address.hpp"
#include "agent/drivers/snmp/snmpd_peer.hpp"
#include "agent/polling/poller.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

const std::string ups = "1.3.6.1.2.1.33.1.";

std::vector<std::string> ups_objects() {
  return {ups + "1.2.0 octet_str \"UPS 80 kVA\"",
          ups + "2.1.0 integer 2",
          ups + "2.2.0 integer 0",
          ups + "2.3.0 integer 38",
          ups + "2.4.0 integer 97",
          ups + "2.5.0 integer 2715",
          ups + "4.1.0 integer 3",
          ups + "4.4.1.2.1 integer 230",
          ups + "4.4.1.2.2 integer 231",
          ups + "4.4.1.2.3 integer 229",
          ups + "4.4.1.5.1 integer 40",
          ups + "4.4.1.5.2 integer 41",
          ups + "4.4.1.5.3 integer 42"};
}

struct Algorithms {
  std::string auth;   // as in an address
  std::string priv;   // "" for none
  std::string snmpd;  // as in snmpd.conf
  std::string user() const { return "u" + std::to_string(std::hash<std::string>{}(snmpd) % 100000); }
};

const std::vector<Algorithms> all_algorithms{
    {"SHA-256", "AES", "SHA-256 \"authpass1\" AES \"privpass1\""},
    {"SHA-1", "AES", "SHA \"authpass1\" AES \"privpass1\""},
    {"SHA-224", "AES", "SHA-224 \"authpass1\" AES \"privpass1\""},
    {"SHA-384", "AES", "SHA-384 \"authpass1\" AES \"privpass1\""},
    {"SHA-512", "AES", "SHA-512 \"authpass1\" AES \"privpass1\""},
    {"MD5", "DES", "MD5 \"authpass1\" DES \"privpass1\""},
    {"SHA-256", "", "SHA-256 \"authpass1\""},
};

std::vector<std::string> user_lines() {
  std::vector<std::string> lines;
  for (const Algorithms& one : all_algorithms) {
    lines.push_back("createUser " + one.user() + " " + one.snmpd);
    lines.push_back("rouser " + one.user() + (one.priv.empty() ? " auth" : " priv"));
  }
  return lines;
}

class SnmpDriver : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    peer = new SnmpdPeer{ups_objects(), user_lines()};
    data_dir = peer->folder() / "data";
    snmp.prepare(data_dir);
  }
  static void TearDownTestSuite() {
    delete peer;
    peer = nullptr;
  }
  void SetUp() override { wait_for_daemon(); }

  static std::shared_ptr<const Profile> ups_profile() {
    Problems problems;
    auto profile = Profile::load(
        std::filesystem::path{WATCHROOM_SOURCE_DIR} / "agent" / "profiles" / "ups_mib.toml", problems);
    EXPECT_TRUE(profile) << problems.str();
    return std::make_shared<const Profile>(*std::move(profile));
  }

  ConfiguredDevice device(const std::string& query, std::vector<DeviceSecret> secrets,
                          int port = peer->port()) {
    std::vector<AddressComplaint> complaints;
    ConfiguredDevice made;
    auto address = parse_address("snmp://127.0.0.1:" + std::to_string(port) + query, AddressOrigin::settings,
                                 complaints);
    EXPECT_TRUE(address) << (complaints.empty() ? "" : complaints[0].text);
    made.address = *std::move(address);
    made.address.secrets = std::move(secrets);
    made.description.id = "ups1";
    made.reply_timeout = 400ms;
    made.profile = ups_profile();
    set_points(made, {});
    return made;
  }
  ConfiguredDevice community_device(const std::string& community, const std::string& query = "?version=2c") {
    std::vector<DeviceSecret> secrets;
    secrets.push_back({community_key, peer->secret("community-" + community, community)});
    return device(query, secrets);
  }
  ConfiguredDevice user_device(const Algorithms& how, const std::string& auth_key = "authpass1",
                               const std::string& priv_key = "privpass1", const std::string& user = "") {
    std::vector<DeviceSecret> secrets;
    secrets.push_back({authentication_key, peer->secret("auth-" + auth_key, auth_key)});
    if (!how.priv.empty()) secrets.push_back({privacy_key, peer->secret("priv-" + priv_key, priv_key)});
    return device("?version=3&user=" + (user.empty() ? how.user() : user) + "&auth=" + how.auth +
                      (how.priv.empty() ? "" : "&priv=" + how.priv),
                  secrets);
  }
  static void set_points(ConfiguredDevice& device, const std::vector<FoundPoint>& found) {
    DevicePoints points = points_of(*device.profile, found);
    device.description.points = std::move(points.descriptions);
    device.sources = std::move(points.sources);
  }

  ConfiguredDevice named_device(const std::string& name) {
    ConfiguredDevice made = community_device("watch");
    std::vector<AddressComplaint> complaints;
    const std::vector<DeviceSecret> secrets = made.address.secrets;
    made.address = parse_address(fmt::format("snmp://{}:{}?version=2c", name, peer->port()),
                                 AddressOrigin::settings, complaints)
                       .value();
    made.address.secrets = secrets;
    return made;
  }

  std::unique_ptr<Bus> bus(ConfiguredDevice device, HostNames* names = nullptr) {
    return snmp.make({std::move(device)},
                     BusContext{clock, Log::quiet(), data_dir, stop.get_token(), {}, names});
  }
  /// Finds the device's rows, then reads it.
  Answer read_whole(ConfiguredDevice device) {
    const auto found = bus(device)->discover(0);
    if (!found) return silent_answer(found.error(), 0, clock.now());
    set_points(device, *found);
    points = device.description.points;
    return bus(std::move(device))->read(0);
  }
  std::optional<double> value_of(const Answer& answer, const std::string& point) const {
    for (std::size_t i = 0; i < points.size(); ++i)
      if (points[i].name.str() == point && answer.readings[i].value)
        return number_of(*answer.readings[i].value);
    return std::nullopt;
  }
  void wait_for_daemon() {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline)
      if (bus(community_device("watch"))->read(0).communication == Communication::ok) return;
    FAIL() << "snmpd did not start";
  }

  static inline SnmpdPeer* peer = nullptr;
  static inline std::filesystem::path data_dir;
  SystemClock clock;
  std::stop_source stop;
  SharedList<PointDescription> points;
};

TEST_F(SnmpDriver, ReadsObjectsAndTheRowsOfTables) {
  const Answer answer = read_whole(community_device("watch"));
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
  EXPECT_EQ(value_of(answer, "battery.charge"), 97);
  EXPECT_EQ(value_of(answer, "battery.voltage"), 271.5);
  EXPECT_EQ(value_of(answer, "output.source"), 3);
  EXPECT_EQ(value_of(answer, "output[L2].voltage"), 231);
  EXPECT_EQ(value_of(answer, "output[L3].load"), 42);
}

TEST_F(SnmpDriver, AnObjectTheDeviceLacksIsNoPoint) {
  read_whole(community_device("watch"));
  for (const PointDescription& point : points) {
    EXPECT_NE(point.name.str(), "battery.temperature");
    EXPECT_NE(point.name.str(), "input[L1].voltage");
  }
}

TEST_F(SnmpDriver, AnObjectThatIsGoneIsBadAndTheOthersStayGood) {
  ConfiguredDevice some = community_device("watch");
  set_points(some, {{"battery.temperature", {}}});
  points = some.description.points;
  const Answer answer = bus(some)->read(0);
  EXPECT_EQ(answer.communication, Communication::ok);
  for (std::size_t i = 0; i < points.size(); ++i)
    EXPECT_EQ(answer.readings[i].quality,
              points[i].name.str() == "battery.temperature" ? Quality::bad : Quality::good)
        << points[i].name.str();
}

TEST_F(SnmpDriver, SpeaksVersion1AsWell) {
  const Answer answer = read_whole(community_device("watch", "?version=1"));
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
  EXPECT_EQ(value_of(answer, "output[L3].load"), 42);
}

TEST_F(SnmpDriver, SpeaksVersion3WithEveryAlgorithm) {
  for (const Algorithms& how : all_algorithms) {
    const Answer answer = read_whole(user_device(how));
    EXPECT_EQ(answer.communication, Communication::ok) << how.snmpd << ": " << answer.text;
    EXPECT_EQ(value_of(answer, "battery.charge"), 97) << how.snmpd;
  }
}

TEST_F(SnmpDriver, AWrongCommunityIsSilenceAndSaysWhatItMayMean) {
  const Answer answer = bus(community_device("wrong"))->read(0);
  EXPECT_EQ(answer.communication, Communication::no_answer);
  EXPECT_EQ(answer.text, "no answer: off, unreachable or wrong community");
  EXPECT_EQ(answer.readings.front().quality, Quality::stale);
}

TEST_F(SnmpDriver, AnUnknownUserIsNotAuthorized) {
  const Answer answer = bus(user_device(all_algorithms[0], "authpass1", "privpass1", "stranger"))->read(0);
  EXPECT_EQ(answer.communication, Communication::not_authorized);
  EXPECT_THAT(answer.text, testing::HasSubstr("does not know the SNMPv3 user \"stranger\""));
}

TEST_F(SnmpDriver, AMissingPrivacyIsNotAuthorized) {
  Algorithms open = all_algorithms[0];
  const std::string user = open.user();
  open.priv = "";
  const Answer answer = bus(user_device(open, "authpass1", "", user))->read(0);
  EXPECT_EQ(answer.communication, Communication::not_authorized) << answer.text;
}

TEST_F(SnmpDriver, ADeviceBehindADeadPortHoldsNobodyUp) {
  std::vector<DeviceSecret> secrets;
  secrets.push_back({authentication_key, peer->secret("auth-dead", "authpass1")});
  ConfiguredDevice dead = device("?version=3&user=x&auth=SHA-256", secrets, 9);
  dead.reply_timeout = 5s;
  std::thread asking{[&] { EXPECT_NE(bus(dead)->read(0).communication, Communication::ok); }};
  const auto living = bus(community_device("watch"));
  const auto began = std::chrono::steady_clock::now();
  int answered = 0;
  for (; answered < 20; ++answered)
    if (living->read(0).communication != Communication::ok) break;
  EXPECT_EQ(answered, 20);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
  asking.join();
}

TEST_F(SnmpDriver, WhereSeveralFellSilentTheOthersAreAskedOnlyOnce) {
  std::vector<ConfiguredDevice> devices(5, community_device("watch"));
  const auto line = snmp.make(devices, BusContext{clock, Log::quiet(), data_dir, stop.get_token()});
  for (std::size_t i = 0; i < devices.size(); ++i) ASSERT_EQ(line->read(i).communication, Communication::ok);
  peer->freeze();
  std::vector<std::chrono::nanoseconds> took;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(line->read(i).communication, Communication::no_answer);
    took.push_back(std::chrono::steady_clock::now() - began);
  }
  peer->thaw();
  EXPECT_GE(took[0], 2 * 400ms);
  EXPECT_LT(took[3], 2 * 400ms);
  EXPECT_LT(took[4], 2 * 400ms);
}

TEST_F(SnmpDriver, ADeviceAtAFastPaceIsReadWhileAllOthersFallSilent) {
  SnmpdPeer dying{ups_objects(), {}};
  AgentSettings settings;
  settings.data_dir = data_dir;
  for (std::size_t i = 0; i < 40; ++i) {
    settings.devices.push_back(community_device("watch"));
    ConfiguredDevice& one = settings.devices.back();
    if (i > 0) one.address = device("?version=2c", one.address.secrets, dying.port()).address;
    one.description.id = "d" + std::to_string(i);
    one.description.poll_interval = i > 0 ? 4s : 200ms;
  }
  std::mutex mutex;
  std::condition_variable heard;
  std::map<std::size_t, int> answers;
  std::vector<std::chrono::steady_clock::time_point> heard_at;  // of the one that goes on living
  BusBoard board;
  Poller poller{settings, clock, Log::quiet(), board, [&](const PollResult& result) {
                  const std::lock_guard lock{mutex};
                  if (result.communication == Communication::ok) ++answers[result.device];
                  if (result.device == 0) heard_at.push_back(std::chrono::steady_clock::now());
                  heard.notify_one();
                }};
  poller.start();
  std::unique_lock lock{mutex};
  const auto is_twice = [](const auto& one) { return one.second >= 2; };
  ASSERT_TRUE(heard.wait_for(lock, 40s, [&] {
    return std::ranges::count_if(answers, is_twice) == static_cast<std::ptrdiff_t>(settings.devices.size());
  }));
  dying.freeze();
  heard_at.clear();
  EXPECT_TRUE(heard.wait_for(lock, 40s, [&] { return heard_at.size() >= 30; }));
  lock.unlock();
  poller.stop();
  std::chrono::nanoseconds widest{};
  for (std::size_t i = 1; i < heard_at.size(); ++i) widest = std::max(widest, heard_at[i] - heard_at[i - 1]);
  EXPECT_LT(widest, 500ms);
}

TEST_F(SnmpDriver, ADeviceWithANameIsReadWhileTheNameServerIsSilent) {
  NameServerPeer server;
  server.tell("ups", {"127.0.0.1"});
  HostNames names{{.patience = 100ms, .kept_for = 0ms, .again_after = 0ms}, server.look_up()};
  const auto line = bus(named_device("ups"), &names);
  ASSERT_EQ(line->read(0).communication, Communication::ok);
  server.fall_silent();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(line->read(0).communication, Communication::ok);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  server.give_up();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(line->read(0).communication, Communication::ok);
}

TEST_F(SnmpDriver, ADeviceIsFoundAtAnyOfTheAddressesOfItsName) {
  NameServerPeer server;
  server.tell("ups", {"127.0.0.7", "127.0.0.1"});  // nobody is at the first
  HostNames names{{}, server.look_up()};
  const auto line = bus(named_device("ups"), &names);
  EXPECT_EQ(line->read(0).communication, Communication::no_answer);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(line->read(0).communication, Communication::ok) << i;
}

std::chrono::microseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::microseconds{used.tv_nsec / 1000};
}

TEST_F(SnmpDriver, ADeadDeviceCostsNoKeysAnew) {
  ConfiguredDevice dead = user_device(all_algorithms[0]);
  dead.address = device("?version=3&user=x&auth=SHA-512&priv=AES", dead.address.secrets, 9).address;
  dead.reply_timeout = 5ms;
  std::vector<ConfiguredDevice> devices(2, dead);
  const auto line = snmp.make(devices, BusContext{clock, Log::quiet(), data_dir, stop.get_token()});
  const auto at_first = processor_time();
  line->read(0);  // makes two keys
  const auto before = processor_time();
  for (int i = 0; i < 20; ++i) line->read(1);
  EXPECT_LT(processor_time() - before, 5 * (before - at_first));
}

TEST_F(SnmpDriver, ComesBackAfterTheDeviceStartedAgain) {
  const auto line = bus(user_device(all_algorithms[0]));
  ASSERT_EQ(line->read(0).communication, Communication::ok);
  peer->stop();
  EXPECT_EQ(line->read(0).communication, Communication::no_answer);
  peer->start();
  wait_for_daemon();
  Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;  // its boots counter has moved on
}

TEST_F(SnmpDriver, ADeviceThatStartedBetweenTwoPollsIsReadInTheNext) {
  const auto line = bus(user_device(all_algorithms[0]));
  const Answer before = line->read(0);
  ASSERT_EQ(before.communication, Communication::ok) << before.text;
  peer->stop();
  peer->start();
  wait_for_daemon();
  const Answer answer = line->read(0);
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
}

/// Makes net-snmp believe that every engine it knows has run much longer than it has.
void make_known_engines_older() {
  for (const usmUser* user = usm_get_userList(); user; user = user->next) {
    u_int boots = 0, time = 0;
    if (user->engineIDLen == 0 || get_enginetime(user->engineID, static_cast<u_int>(user->engineIDLen),
                                                 &boots, &time, TRUE) != SNMPERR_SUCCESS)
      continue;
    set_enginetime(user->engineID, static_cast<u_int>(user->engineIDLen), boots, time + 100'000, TRUE);
  }
}

TEST_F(SnmpDriver, ADeviceWhoseClockWentBackWithoutABootIsFoundAnew) {
  const auto line = bus(user_device(all_algorithms[0]));
  ASSERT_EQ(line->read(0).communication, Communication::ok);
  make_known_engines_older();
  const Answer recovered = line->read(0);
  EXPECT_EQ(recovered.communication, Communication::ok) << recovered.text;  // its second try
  make_known_engines_older();
  const auto fresh = bus(user_device(all_algorithms[0]));  // asked for the first time: one try
  const Answer told = fresh->read(0);
  EXPECT_EQ(told.communication, Communication::no_answer) << told.text;
  EXPECT_EQ(fresh->read(0).communication, Communication::ok);
}

TEST_F(SnmpDriver, WritesNothingOutsideItsFolder) {
  EXPECT_THAT(std::getenv("SNMP_PERSISTENT_DIR"), testing::EndsWith("/data/snmp"));
  EXPECT_STREQ(std::getenv("MIBS"), "");
}

TEST_F(SnmpDriver, RecognisesAUpsByItsObjects) {
  const std::vector<std::shared_ptr<const Profile>> profiles{ups_profile()};
  const auto found = snmp.recognise(community_device("watch").address, profiles,
                                    BusContext{clock, Log::quiet(), data_dir, {}}, Patience{});
  ASSERT_TRUE(found) << found.error().text;
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front()->name, "ups_mib");
}

TEST_F(SnmpDriver, AWrongAuthenticationKeyIsNotAuthorized) {
  const Answer answer = bus(user_device(all_algorithms[1], "wrongpass1"))->read(0);
  EXPECT_EQ(answer.communication, Communication::not_authorized) << answer.text;
  EXPECT_THAT(answer.text, testing::HasSubstr("wrong authentication passphrase"));
}

TEST_F(SnmpDriver, AWrongPrivacyKeyIsToldApart) {
  const Answer answer = bus(user_device(all_algorithms[1], "authpass1", "wrongpass1"))->read(0);
  EXPECT_THAT(answer.text, testing::HasSubstr("wrong privacy passphrase"));
}

// The library keeps a user's keys for the life of the process: what the settings say now must count, not what
// they said when the user was first met.
TEST_F(SnmpDriver, AChangedPassphraseCountsAtOnce) {
  ASSERT_EQ(bus(user_device(all_algorithms[1]))->read(0).communication, Communication::ok);
  for (int i = 0; i < 2; ++i) {
    const Answer refused = bus(user_device(all_algorithms[1], "wrongpass1"))->read(0);
    EXPECT_EQ(refused.communication, Communication::not_authorized) << refused.text;
    const Answer silent = bus(user_device(all_algorithms[1], "authpass1", "wrongpass1"))->read(0);
    EXPECT_NE(silent.communication, Communication::ok) << silent.text;
    const Answer right = bus(user_device(all_algorithms[1]))->read(0);
    EXPECT_EQ(right.communication, Communication::ok) << right.text;
  }
}

TEST_F(SnmpDriver, TwoDevicesThatTellOneEngineIdHaveEachItsOwnPassphrase) {
  const auto clone = [](const std::string& passphrase) {
    return std::vector<std::string>{"exactEngineID 0x80001f8804636c6f6e65",
                                    "createUser clone SHA-256 \"" + passphrase + "\"", "rouser clone auth"};
  };
  const SnmpdPeer first{ups_objects(), clone("passphrase1")}, second{ups_objects(), clone("passphrase2")};
  const auto line_to = [this](const SnmpdPeer& one, const std::string& passphrase) {
    return bus(device("?version=3&user=clone&auth=SHA-256",
                      {{authentication_key, one.secret("auth-" + passphrase, passphrase)}}, one.port()));
  };
  const auto to_first = line_to(first, "passphrase1"), to_second = line_to(second, "passphrase2");
  const auto answers = [](Bus& line) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline)
      if (line.read(0).communication == Communication::ok) return true;
    return false;
  };
  ASSERT_TRUE(answers(*to_first));
  ASSERT_TRUE(answers(*to_second));
  for (int i = 0; i < 5; ++i) {
    const Answer one = to_first->read(0), other = to_second->read(0);
    EXPECT_EQ(one.communication, Communication::ok) << one.text;
    EXPECT_EQ(other.communication, Communication::ok) << other.text;
  }
  EXPECT_EQ(line_to(second, "passphrase1")->read(0).communication, Communication::not_authorized)
      << "the passphrase of the one does not open the other";
}

}  // namespace
}  // namespace watchroom::agent
