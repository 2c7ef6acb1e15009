// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Against net-snmp's own snmptrap and snmpinform: real datagrams, real keys.
#include "agent/drivers/snmp/trap_receiver.hpp"

#include <atomic>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/drivers/snmp/snmp.hpp"
#include "agent/drivers/snmp/snmp_address.hpp"
#include "agent/drivers/snmp/snmpd_peer.hpp"
#include "agent/polling/poller.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr std::string_view profile_text = R"(schema = 1
maker = "T"
model = "T"
bus = "snmp"
source = "test"
confidence = "measured"
[[point]]
name = "battery.status"
unit = "state"
oid = "1.3.6.1.4.1.99999.1.1.0"
states = { 2 = { zh = "正常", en = "normal" }, 3 = { zh = "电量低", en = "low" } }
[[point]]
name = "outlet[*].current"
unit = "ampere"
oid = "1.3.6.1.4.1.99999.2.1"
table = true
scale = 0.1
[[trap]]
oid = "1.3.6.1.4.1.99999.0.5"
text = { zh = "市电中断", en = "Utility power failed" }
)";

/// Runs a program of the package snmp to its end; its exit code.
int run(const Words& words) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setenv("MIBS", "", 1);
    ::setenv("SNMPCONFPATH", "/nonexistent", 1);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(null, 1);
    ::dup2(null, 2);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class TrapReceiverTest : public testing::Test {
 protected:
  TrapReceiverTest() : port_{free_udp_port()} {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-traps-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    settings_.data_dir = folder_;
    settings_.snmp_traps.listen = {"127.0.0.1:" + std::to_string(port_), "[::1]:" + std::to_string(port_)};
    Problems problems;
    profile_ = std::make_shared<const Profile>(Profile::parse(profile_text, "t.toml", problems).value());
    snmp.prepare(folder_ / "snmp");
  }
  ~TrapReceiverTest() override {
    receiver_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static int free_udp_port() {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    socklen_t length = sizeof address;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
    ::close(socket);
    return ntohs(address.sin_port);
  }

  std::filesystem::path secret(const std::string& name, const std::string& text) {
    const auto file = folder_ / name;
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    std::ofstream{file} << text << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    return file;
  }
  void add_device(const std::string& url, const std::string& community = "") {
    std::vector<AddressComplaint> complaints;
    ConfiguredDevice device;
    device.description.id = "d" + std::to_string(settings_.devices.size());
    device.address = parse_address(url, AddressOrigin::settings, complaints).value();
    if (community.empty()) {
      device.address.secrets = {{authentication_key, secret("auth", "authpass1")},
                                {privacy_key, secret("priv", "privpass1")}};
    } else {
      device.address.secrets = {{community_key, secret("community-" + device.description.id, community)}};
    }
    device.profile = profile_;
    settings_.devices.push_back(std::move(device));
  }
  void add_v3_device() { add_device("snmp://127.0.0.1:161?version=3&user=watch&auth=SHA-256&priv=AES"); }

  void start() {
    receiver_ =
        std::make_unique<TrapReceiver>(settings_, clock_, names_, Log::quiet(),
                                       TrapReceiver::Outputs{[this](ReceivedTrap trap) {
                                                               const std::lock_guard lock{mutex_};
                                                               if (has_no_room_) return false;
                                                               traps_.push_back(std::move(trap));
                                                               return true;
                                                             },
                                                             [this](std::size_t device, bool started) {
                                                               const std::lock_guard lock{mutex_};
                                                               hurried_.emplace_back(device, started);
                                                             }});
    receiver_->start();
  }

  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  /// Words of a v3 sender, with a chosen passphrase and engine.
  static Words v3(const std::string& program, const std::string& auth = "authpass1", const Words& more = {}) {
    Words words{program,   "-v3", "-u", "watch", "-l",  "authPriv", "-a",
                "SHA-256", "-A",  auth, "-x",    "AES", "-X",       "privpass1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Words to(Words words, const Words& what = {"100", "1.3.6.1.4.1.99999.0.5"}) const {
    words.push_back(place());
    words.insert(words.end(), what.begin(), what.end());
    return words;
  }
  static inline const Words utility_failed{"100", "1.3.6.1.4.1.99999.0.5"};
  static inline const Words own_engine{"-e", "0x8000000001020304"};

  std::vector<std::string> texts() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> all;
    for (const ReceivedTrap& trap : traps_) all.push_back(trap.text);
    return all;
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  bool counts(std::uint64_t TrapCounts::*which, std::uint64_t wanted) {
    return eventually([&] { return receiver_->counts().*which == wanted; });
  }
  /// A datagram as it is, from an address of the loopback.
  void send_raw(const std::string& bytes, int times = 1) const {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < times; ++i)
      ::sendto(socket, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address),
               sizeof address);
    ::close(socket);
  }
  /// What a sender's command puts on the wire.
  std::string recorded(Words words, const Words& what = utility_failed) const {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    socklen_t length = sizeof address;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
    words.push_back("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
    words.insert(words.end(), what.begin(), what.end());
    run(words);  // an inform that nobody answers ends with 1
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string bytes(65'535, '\0');
    const auto received = ::recv(socket, bytes.data(), bytes.size(), 0);
    ::close(socket);
    EXPECT_GT(received, 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
    return bytes;
  }

  int port_;
  std::filesystem::path folder_;
  AgentSettings settings_;
  std::shared_ptr<const Profile> profile_;
  SystemClock clock_;
  HostNames names_;
  std::unique_ptr<TrapReceiver> receiver_;
  mutable std::mutex mutex_;
  std::vector<ReceivedTrap> traps_;
  std::vector<std::pair<std::size_t, bool>> hurried_;
  bool has_no_room_ = false;
};

TEST_F(TrapReceiverTest, TakesAVersion2TrapWithTheProfilesWords) {
  add_device("snmp://127.0.0.1:161", "watch");
  start();
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "watch"},
                   {"100", "1.3.6.1.4.1.99999.0.5", "1.3.6.1.4.1.99999.1.1.0", "i", "3",
                    "1.3.6.1.4.1.99999.2.1.4", "i", "25", "1.3.6.1.4.1.99999.7.0", "s", "rack 4"})),
            0);
  ASSERT_TRUE(counts(&TrapCounts::accepted, 1));
  EXPECT_THAT(
      texts(),
      ElementsAre("市电中断 Utility power failed: battery.status = 电量低 low; outlet[4].current = 2.5 A; "
                  "1.3.6.1.4.1.99999.7.0 = rack 4"));
  const std::lock_guard lock{mutex_};
  EXPECT_THAT(hurried_, ElementsAre(std::pair{std::size_t{0}, false}));
}

TEST_F(TrapReceiverTest, TakesAVersion1TrapByItsNumbers) {
  add_device("snmp://127.0.0.1:161", "watch");
  start();
  ASSERT_EQ(run(to({"snmptrap", "-v1", "-c", "watch"}, {"1.3.6.1.4.1.99999", "127.0.0.1", "6", "5", "100"})),
            0);
  ASSERT_EQ(run(to({"snmptrap", "-v1", "-c", "watch"}, {"1.3.6.1.4.1.99999", "127.0.0.1", "0", "0", "100"})),
            0);
  ASSERT_TRUE(counts(&TrapCounts::accepted, 2));
  EXPECT_THAT(texts(), ElementsAre("市电中断 Utility power failed", "设备冷启动 Cold start"));
  const std::lock_guard lock{mutex_};
  EXPECT_THAT(hurried_, ElementsAre(std::pair{std::size_t{0}, false}, std::pair{std::size_t{0}, true}));
}

TEST_F(TrapReceiverTest, HearsOverIpv6AsWell) {
  add_device("snmp://[::1]:161", "watch");
  start();
  ASSERT_EQ(run({"snmptrap", "-v2c", "-c", "watch", "udp6:[::1]:" + std::to_string(port_), "100",
                 "1.3.6.1.4.1.99999.0.5"}),
            0);
  EXPECT_TRUE(counts(&TrapCounts::accepted, 1));
}

TEST_F(TrapReceiverTest, ARelayedTrapBelongsToWhomItNames) {
  add_device("snmp://127.0.0.7:161", "inner");
  add_device("snmp://192.0.2.9:161", "far");
  start();
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "far"},
                   {"100", "1.3.6.1.4.1.99999.0.5", "1.3.6.1.6.3.18.1.3.0", "a", "192.0.2.9"})),
            0);
  ASSERT_EQ(run(to({"snmptrap", "-v1", "-c", "inner"}, {"1.3.6.1.4.1.99999", "127.0.0.7", "6", "5", "100"})),
            0);
  ASSERT_TRUE(counts(&TrapCounts::accepted, 2));
  const std::lock_guard lock{mutex_};
  EXPECT_EQ(traps_[0].device, 1u);
  EXPECT_EQ(traps_[1].device, 0u);
}

TEST_F(TrapReceiverTest, StrangersAndWrongCommunitiesAreCountedAndIgnored) {
  add_device("snmp://127.0.0.1:161", "watch");
  start();
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "guess"})), 0);
  ASSERT_TRUE(counts(&TrapCounts::not_authentic, 1));
  ASSERT_EQ(run({"snmptrap", "-v2c", "-c", "watch", "udp6:[::1]:" + std::to_string(port_), "100",
                 "1.3.6.1.4.1.99999.0.5"}),
            0);
  ASSERT_TRUE(counts(&TrapCounts::unknown_sender, 1));
  send_raw("no SNMP at all");
  ASSERT_TRUE(counts(&TrapCounts::malformed, 1));
  EXPECT_EQ(receiver_->counts().accepted, 0u);
  const std::lock_guard lock{mutex_};
  EXPECT_TRUE(hurried_.empty());
}

TEST_F(TrapReceiverTest, TheListenersOwnCommunityCountsForEveryDevice) {
  add_device("snmp://127.0.0.1:161", "watch");
  settings_.snmp_traps.community = "traps";
  start();
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "traps"})), 0);
  EXPECT_TRUE(counts(&TrapCounts::accepted, 1));
}

TEST_F(TrapReceiverTest, TakesAVersion3TrapOfTheConfiguredUser) {
  add_v3_device();
  start();
  ASSERT_EQ(run(to(v3("snmptrap", "authpass1", own_engine))), 0);
  ASSERT_TRUE(counts(&TrapCounts::accepted, 1));
  EXPECT_THAT(texts(), ElementsAre("市电中断 Utility power failed"));
}

TEST_F(TrapReceiverTest, AVersion3TrapWithAWrongKeyIsIgnoredAndForgotten) {
  add_v3_device();
  start();
  ASSERT_EQ(run(to(v3("snmptrap", "wrongpass1", Words{"-e", "0x8000000001020307"}))), 0);
  ASSERT_TRUE(counts(&TrapCounts::not_authentic, 1));
  ASSERT_EQ(run(to(v3("snmptrap", "authpass1", Words{"-e", "0x8000000001020307"}))), 0);
  ASSERT_TRUE(counts(&TrapCounts::accepted, 1));
}

TEST_F(TrapReceiverTest, AVersion3MessageBelowTheConfiguredLevelIsIgnored) {
  add_v3_device();
  start();
  ASSERT_EQ(run(to({"snmptrap", "-v3", "-u", "watch", "-l", "noAuthNoPriv", "-e", "0x8000000001020305"})), 0);
  ASSERT_EQ(run(to({"snmptrap", "-v3", "-u", "watch", "-l", "authNoPriv", "-a", "SHA-256", "-A", "authpass1",
                    "-e", "0x8000000001020305"})),
            0);
  ASSERT_TRUE(counts(&TrapCounts::not_authentic, 2));
  EXPECT_EQ(receiver_->counts().accepted, 0u);
}

TEST_F(TrapReceiverTest, AReplayedVersion3TrapIsToldOnce) {
  add_v3_device();
  start();
  const Words engine{"-e", "0x8000000001020306"};
  Words sender = v3("snmptrap", "authpass1", engine);
  sender.insert(sender.end(), {"-Z", "7,5000"});
  const std::string genuine = recorded(sender);
  send_raw(genuine);
  ASSERT_TRUE(counts(&TrapCounts::accepted, 1));
  send_raw(genuine);
  ASSERT_TRUE(counts(&TrapCounts::duplicates, 1));
  for (const char* before : {"7,100", "6,9999"}) {
    Words old = v3("snmptrap", "authpass1", engine);
    old.insert(old.end(), {"-Z", before});
    send_raw(recorded(old));
  }
  ASSERT_TRUE(counts(&TrapCounts::not_authentic, 2));
  EXPECT_EQ(receiver_->counts().accepted, 1u);
}

TEST_F(TrapReceiverTest, AnInformIsAcknowledgedOnceItIsTaken) {
  add_device("snmp://127.0.0.1:161", "watch");
  start();
  EXPECT_EQ(run(to({"snmpinform", "-v2c", "-c", "watch", "-r", "0", "-t", "5"})), 0);
  EXPECT_TRUE(counts(&TrapCounts::accepted, 1));
  EXPECT_NE(run(to({"snmpinform", "-v2c", "-c", "guess", "-r", "0", "-t", "0.3"})), 0);
}

TEST_F(TrapReceiverTest, AnInformThatFindsNoRoomIsNotAcknowledgedAndComesAgain) {
  add_device("snmp://127.0.0.1:161", "watch");
  has_no_room_ = true;
  start();
  EXPECT_NE(run(to({"snmpinform", "-v2c", "-c", "watch", "-r", "1", "-t", "0.3"})), 0);
  EXPECT_EQ(receiver_->counts().untold, 2u);
  {
    const std::lock_guard lock{mutex_};
    has_no_room_ = false;
  }
  EXPECT_EQ(run(to({"snmpinform", "-v2c", "-c", "watch", "-r", "1", "-t", "5"})), 0);
}

TEST_F(TrapReceiverTest, AnInformThatCameTwiceIsToldOnceAndAnEqualOneAgain) {
  add_device("snmp://127.0.0.1:161", "watch");
  start();
  const std::string inform = recorded({"snmptrap", "-v2c", "-Ci", "-c", "watch", "-r", "0", "-t", "0.1"});
  send_raw(inform, 3);
  ASSERT_TRUE(counts(&TrapCounts::duplicates, 2));
  EXPECT_EQ(receiver_->counts().accepted, 1u);
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "watch"})), 0);
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "watch"})), 0);
  EXPECT_TRUE(counts(&TrapCounts::accepted, 3));
}

TEST_F(TrapReceiverTest, AVersion3InformFindsOurEngineAndItsBootsCountUp) {
  add_v3_device();
  start();
  EXPECT_EQ(run(to(v3("snmpinform", "authpass1", {"-r", "1", "-t", "5"}))), 0);
  EXPECT_TRUE(counts(&TrapCounts::accepted, 1));
  EXPECT_NE(run(to(v3("snmpinform", "wrongpass1", {"-r", "0", "-t", "0.3"}))), 0);
  std::ifstream first{folder_ / "snmp_engine.json"};
  std::string before, after;
  std::getline(first, before);
  receiver_.reset();
  start();
  EXPECT_EQ(run(to(v3("snmpinform", "authpass1", {"-r", "1", "-t", "5"}))), 0);
  std::ifstream second{folder_ / "snmp_engine.json"};
  std::getline(second, after);
  EXPECT_THAT(before, HasSubstr("\"boots\":1,"));
  EXPECT_THAT(after, HasSubstr("\"boots\":2,"));
  EXPECT_EQ(before.substr(before.find("engine_id")), after.substr(after.find("engine_id")));
}

TEST_F(TrapReceiverTest, OneUserNameMayHaveAnotherKeyAtEachDevice) {
  add_v3_device();
  settings_.devices.push_back(settings_.devices[0]);
  DeviceAddress& other_address = settings_.devices[1].address;
  auto snmp_address = other_address.where.as<SnmpAddress>();
  snmp_address.peer.host = "::1";
  other_address.where = snmp_address;
  other_address.secrets = {{authentication_key, secret("auth2", "another-pass")},
                           {privacy_key, secret("priv", "privpass1")}};
  start();
  EXPECT_EQ(run(to(v3("snmpinform", "authpass1", {"-r", "1", "-t", "5"}))), 0);
  Words other = v3("snmpinform", "another-pass", {"-r", "1", "-t", "5"});
  other.push_back("udp6:[::1]:" + std::to_string(port_));
  other.insert(other.end(), utility_failed.begin(), utility_failed.end());
  EXPECT_EQ(run(other), 0);
  EXPECT_EQ(run(to(v3("snmpinform", "authpass1", {"-r", "1", "-t", "5"}))), 0);
  EXPECT_EQ(receiver_->counts().accepted, 3u);
}

TEST_F(TrapReceiverTest, AStormIsBoundedAndSummedUp) {
  add_device("snmp://127.0.0.1:161", "watch");
  start();
  const std::string one = recorded({"snmptrap", "-v2c", "-c", "watch"});
  std::uint64_t sent = 0;
  for (int burst = 0; burst < 200; ++burst) {
    send_raw(one, 50);
    sent += 50;
    // What a socket cannot hold is lost before us; wait for what it held.
    ASSERT_TRUE(eventually([&] {
      const TrapCounts now = receiver_->counts();
      return now.accepted + now.untold == sent;
    })) << burst;
  }
  EXPECT_EQ(sent, 10'000u);
  EXPECT_LE(receiver_->counts().accepted, 100u);
  EXPECT_TRUE(
      eventually([&] { return texts().back().find("more traps came too fast") != std::string::npos; }));
  EXPECT_LE(texts().size(), 110u);
}

TEST_F(TrapReceiverTest, ATrapIsFollowedByAPollAtOnceAndAStartByALookForPoints) {
  SnmpdPeer daemon{{"1.3.6.1.4.1.99999.1.1.0 integer 3"}, {}};
  add_device("snmp://127.0.0.1:" + std::to_string(daemon.port()), "watch");
  ConfiguredDevice& device = settings_.devices[0];
  device.description.poll_interval = 10min;
  device.reply_timeout = 500ms;
  FoundPoints found{settings_.data_dir, Log::quiet()};
  prepare_devices(settings_, {}, found);
  EXPECT_TRUE(settings_.devices[0].description.tells_events);
  std::atomic<int> polls = 0, described = 0;
  std::atomic<bool> is_answered = false;
  BusBoard board;
  Poller poller{settings_, clock_, Log::quiet(), board, [&](const PollResult& result) {
                  ++polls;
                  is_answered = result.communication == Communication::ok;
                }};
  poller.start();
  ASSERT_TRUE(eventually([&] {
    if (!is_answered) poller.hurry(0);
    return is_answered.load();
  }));
  receiver_ = std::make_unique<TrapReceiver>(settings_, clock_, names_, Log::quiet(),
                                             TrapReceiver::Outputs{[](const ReceivedTrap&) { return true; },
                                                                   [&](std::size_t index, bool started) {
                                                                     described += started;
                                                                     poller.hurry(index, started);
                                                                   }});
  receiver_->start();
  const int before = polls;
  const auto began = std::chrono::steady_clock::now();
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "watch"})), 0);
  EXPECT_TRUE(eventually([&] { return polls > before; }));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
  ASSERT_EQ(run(to({"snmptrap", "-v2c", "-c", "watch"}, {"100", "1.3.6.1.6.3.1.1.5.1"})), 0);
  EXPECT_TRUE(eventually([&] { return described == 1; }));
  receiver_->stop();
  poller.stop();
}

TEST_F(TrapReceiverTest, APortThatIsTakenIsToldAndTheOthersListen) {
  add_device("snmp://127.0.0.1:161", "watch");
  const int taken = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port_));
  address.sin6_addr = in6addr_loopback;
  ASSERT_EQ(::bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  start();
  EXPECT_EQ(run(to({"snmptrap", "-v2c", "-c", "watch"})), 0);
  EXPECT_TRUE(counts(&TrapCounts::accepted, 1));
  ::close(taken);
}

}  // namespace
}  // namespace watchroom::agent
