// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Real counterparts: the kernel's own answers on the loopback and in network namespaces, sockets, a web
// server.
#include "agent/drivers/net/net.hpp"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sched.h>

#include "agent/drivers/net/echo.hpp"
#include "agent/drivers/net/web_probe.hpp"
#include "agent/drivers/net/web_server_peer.hpp"
#include "agent/polling/poller.hpp"
#include "proto/link/test_certificates.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A TCP port of the loopback that is ours until the end.
class Port {
 public:
  Port() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = address;
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() {
    for (const int client : clients_) ::close(client);
    ::close(socket_);
  }
  void listen(int backlog) const { EXPECT_EQ(::listen(socket_, backlog), 0); }
  /// Connections that nobody accepts fill the queue; the kernel is silent to those that come after.
  void fill_queue() {
    listen(0);
    for (int i = 0; i < 8; ++i) {
      clients_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      [[maybe_unused]] const int refused =
          ::connect(clients_.back(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
    }
  }
  std::string text() const { return std::to_string(ntohs(address_.sin_port)); }

 private:
  int socket_;
  sockaddr_in address_{};
  std::vector<int> clients_;
};

class NetDriver : public testing::Test {
 protected:
  ConfiguredDevice device(const std::string& url, std::chrono::milliseconds timeout = 1000ms) {
    std::vector<AddressComplaint> complaints;
    ConfiguredDevice made;
    auto address = parse_address(url, AddressOrigin::settings, complaints);
    EXPECT_TRUE(address) << url << ": " << (complaints.empty() ? "" : complaints[0].text);
    made.address = *std::move(address);
    made.reply_timeout = timeout;
    const std::string scheme{made.address.scheme()};
    auto& profile = profiles_[scheme];
    if (!profile) {
      Problems problems;
      auto loaded = Profile::load(
          std::filesystem::path{WATCHROOM_SOURCE_DIR} / "agent" / "profiles" / ("net_" + scheme + ".toml"),
          problems);
      EXPECT_TRUE(loaded) << problems.str();
      profile = std::make_shared<const Profile>(*std::move(loaded));
    }
    DevicePoints points = points_of(*profile, {});
    made.description.points = std::move(points.descriptions);
    made.sources = std::move(points.sources);
    made.profile = profile;
    return made;
  }

  /// Asks once; `reading` and `reason` tell of it.
  Answer ask(const std::string& url, std::chrono::milliseconds timeout = 1000ms) {
    const ConfiguredDevice one = device(url, timeout);
    points_ = one.description.points;
    answer_ = net.make({one}, BusContext{clock_, Log::quiet(), {}, stop_.get_token()})->read(0);
    return answer_;
  }
  Reading reading(std::string_view point) const {
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (points_[i].name.str() == point) return answer_.readings.at(i);
    ADD_FAILURE() << "no point " << point;
    return {};
  }
  std::optional<double> number(std::string_view point) const {
    const Reading one = reading(point);
    return one.value ? number_of(*one.value) : std::nullopt;
  }
  std::string reason() const {
    const Reading one = reading("info[reachability].text");
    return one.value ? to_text(*one.value) : "nothing";
  }
  void expect_up() const {
    EXPECT_EQ(answer_.communication, Communication::ok) << answer_.text;
    EXPECT_EQ(number("reachability.state"), 1) << reason();
    EXPECT_EQ(reason(), "");
    EXPECT_EQ(reading("reachability.response_time").quality, Quality::good);
  }
  void expect_down(const std::string& why) const {
    ASSERT_EQ(answer_.communication, Communication::ok) << answer_.text;
    EXPECT_EQ(number("reachability.state"), 0);
    EXPECT_THAT(reason(), HasSubstr(why));
  }
  void expect_not_asked(const std::string& why) const {
    EXPECT_EQ(answer_.communication, Communication::not_connected);
    EXPECT_THAT(answer_.text, HasSubstr(why));
    for (const Reading& one : answer_.readings) EXPECT_EQ(one.quality, Quality::stale);
  }
  bool may_not_ping() {
    ask("icmp://127.0.0.1#echoes=1");
    return answer_.text.find("no permission") != std::string::npos;
  }

  SystemClock clock_;
  std::stop_source stop_;
  std::map<std::string, std::shared_ptr<const Profile>> profiles_;
  SharedList<PointDescription> points_;
  Answer answer_;
};

TEST_F(NetDriver, TheLoopbackAnswersEveryEcho) {
  if (may_not_ping()) GTEST_SKIP() << answer_.text;
  ask("icmp://127.0.0.1");
  expect_up();
  EXPECT_EQ(number("reachability.loss"), 0);
  EXPECT_LT(number("reachability.response_time").value_or(1000), 100);
}

TEST_F(NetDriver, TheLoopbackAnswersOverIpv6) {
  if (may_not_ping()) GTEST_SKIP() << answer_.text;
  ask("icmp://[::1]");
  if (answer_.communication == Communication::not_connected) GTEST_SKIP() << "no IPv6 here: " << answer_.text;
  expect_up();
}

TEST_F(NetDriver, AThousandHostsAreAskedTogether) {
  if (may_not_ping()) GTEST_SKIP() << answer_.text;
  std::vector<ConfiguredDevice> devices;
  std::vector<std::size_t> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(devices.size());
    devices.push_back(device(fmt::format("icmp://127.0.{}.{}", i / 250, 1 + i % 250), 2000ms));
  }
  const auto bus = net.make(devices, BusContext{clock_, Log::quiet(), {}, {}});
  std::size_t up = 0;
  const auto began = std::chrono::steady_clock::now();
  bus->read_several(all, [&](std::size_t, const Answer& answer) {
    up += answer.readings.at(0).value == std::optional{Value{std::int64_t{1}}} ? 1 : 0;
  });
  EXPECT_EQ(up, 1000u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST_F(NetDriver, ManyHostsAreHeardOfFromAPollerOfFewThreads) {
  if (may_not_ping()) GTEST_SKIP() << answer_.text;
  constexpr std::size_t hosts = 500;
  AgentSettings settings;
  for (std::size_t i = 0; i < hosts; ++i) {
    settings.devices.push_back(device(fmt::format("icmp://127.1.{}.{}#echoes=1", i / 250, 1 + i % 250)));
    settings.devices.back().description.poll_interval = 1s;
  }
  std::mutex mutex;
  std::condition_variable heard_of_one;
  std::vector<int> heard(hosts);
  BusBoard board;
  Poller poller{settings, clock_, Log::quiet(), board, [&](const PollResult& result) {
                  const std::lock_guard lock{mutex};
                  if (result.communication == Communication::ok) ++heard[result.device];
                  heard_of_one.notify_one();
                }};
  poller.start();
  std::unique_lock lock{mutex};
  const auto all_twice = [&] { return std::ranges::count_if(heard, [](int n) { return n < 2; }) == 0; };
  EXPECT_TRUE(heard_of_one.wait_for(lock, 30s, all_twice));
  lock.unlock();
  poller.stop();
}

TEST_F(NetDriver, APortThatListensIsUp) {
  Port port;
  port.listen(4);
  ask("tcp://127.0.0.1:" + port.text());
  expect_up();
}

TEST_F(NetDriver, AClosedPortIsDownAndThatIsAValue) {
  const Port port;  // bound, but nobody listens
  ask("tcp://127.0.0.1:" + port.text());
  expect_down("connection refused");
  EXPECT_EQ(reading("reachability.response_time").quality, Quality::stale);
}

TEST_F(NetDriver, AListenerThatNeverAnswersIsDown) {
  Port port;
  port.fill_queue();
  ask("tcp://127.0.0.1:" + port.text(), 200ms);
  expect_down("no answer within 200 ms");
}

TEST_F(NetDriver, HostsThatSwallowEverythingDelayNoLivingOne) {
  std::array<Port, 4> ports;
  ports[0].listen(64);
  AgentSettings settings;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (i > 0) ports[i].fill_queue();
    settings.devices.push_back(device("tcp://127.0.0.1:" + ports[i].text()));
    settings.devices.back().description.poll_interval = i == 0 ? 500ms : 700ms;
  }
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<std::chrono::steady_clock::time_point> heard_at;  // of the living one
  BusBoard board;
  Poller poller{settings, clock_, Log::quiet(), board, [&](const PollResult& result) {
                  if (result.device != 0) return;
                  const std::lock_guard lock{mutex};
                  heard_at.push_back(std::chrono::steady_clock::now());
                  heard.notify_one();
                }};
  poller.start();
  std::unique_lock lock{mutex};
  EXPECT_TRUE(heard.wait_for(lock, 30s, [&] { return heard_at.size() >= 12; }));
  lock.unlock();
  poller.stop();
  std::chrono::nanoseconds widest{};
  for (std::size_t i = 1; i < heard_at.size(); ++i) widest = std::max(widest, heard_at[i] - heard_at[i - 1]);
  EXPECT_LT(widest, 800ms);
}

TEST_F(NetDriver, ANameWithoutAnAddressIsNobodysFault) {
  ask("tcp://no-such-host.invalid:80");
  expect_not_asked("no-such-host.invalid");
}

TEST_F(NetDriver, AStopEndsTheWaiting) {
  Port port;
  port.fill_queue();
  std::thread stopping{[&] { stop_.request_stop(); }};
  const auto began = std::chrono::steady_clock::now();
  ask("tcp://127.0.0.1:" + port.text(), 10s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  stopping.join();
}

/// Runs in a network of its own, which ends with it. False: not allowed here.
bool in_own_network(const std::vector<std::string>& commands, const std::function<void()>& test) {
  bool is_allowed = false;
  std::thread{[&] {
    is_allowed = ::unshare(CLONE_NEWNET) == 0;
    for (const std::string& command : commands)
      is_allowed = is_allowed && std::system((command + " >/dev/null 2>&1").c_str()) == 0;
    if (is_allowed) test();
  }}.join();
  return is_allowed;
}
constexpr const char* needs_namespace = "needs root, network namespaces and ip (iproute2)";

TEST_F(NetDriver, WithoutANetworkNobodyIsCalledDown) {
  const bool was_run = in_own_network({}, [&] {
    for (const char* url : {"icmp://10.9.0.2#echoes=1", "tcp://10.9.0.2:80", "http://10.9.0.2/"}) {
      ask(url, 200ms);
      expect_not_asked("Network is unreachable");
    }
  });
  if (!was_run) GTEST_SKIP() << needs_namespace;
}

const std::vector<std::string> one_cable{"ip link add near type veth peer name far",
                                         "ip address add 10.9.0.1/24 dev near", "ip link set dev near up",
                                         "ip link set dev far up", "ip route add unreachable 10.8.0.0/24"};

TEST_F(NetDriver, AHostThatIsNotThereIsDown) {
  const bool was_run = in_own_network(one_cable, [&] {
    ask("icmp://10.9.0.2#echoes=2", 300ms);
    expect_down("no answer to 2 echoes");
    EXPECT_EQ(number("reachability.loss"), 100);
    EXPECT_EQ(reading("reachability.response_time").quality, Quality::stale);
    for (const char* url : {"tcp://10.9.0.2:80", "http://10.9.0.2/"}) {
      ask(url, 300ms);
      expect_down("");  // silence, or the kernel has given up asking for the host's Ethernet address
      EXPECT_NE(reason(), "");
    }
  });
  if (!was_run) GTEST_SKIP() << needs_namespace;
}

TEST_F(NetDriver, AHostWithoutARouteIsNotCalledDown) {
  const bool was_run = in_own_network(one_cable, [&] {
    for (const char* url : {"icmp://10.8.0.2", "tcp://10.8.0.2:80", "http://10.8.0.2/"}) {
      ask(url, 300ms);
      expect_not_asked("No route to host");
    }
  });
  if (!was_run) GTEST_SKIP() << needs_namespace;
}

TEST_F(NetDriver, OurOwnCableIsNotTheHostsFault) {
  std::vector<std::string> unplugged = one_cable;
  unplugged.emplace_back("ip link set dev far down");
  const bool was_run = in_own_network(unplugged, [&] {
    for (const char* url : {"icmp://10.9.0.2#echoes=1", "tcp://10.9.0.2:80", "http://10.9.0.2/"}) {
      ask(url, 300ms);
      expect_not_asked("near has no link");
    }
  });
  if (!was_run) GTEST_SKIP() << needs_namespace;
}

TEST(IcmpVerdict, TellsAMissingHostFromAMissingWay) {
  EXPECT_FALSE(verdict_of(AF_INET, 3, 1).is_path_at_fault);   // host unreachable
  EXPECT_TRUE(verdict_of(AF_INET, 3, 0).is_path_at_fault);    // network unreachable
  EXPECT_TRUE(verdict_of(AF_INET, 3, 13).is_path_at_fault);   // a firewall
  EXPECT_TRUE(verdict_of(AF_INET, 11, 0).is_path_at_fault);   // going in circles
  EXPECT_FALSE(verdict_of(AF_INET6, 1, 3).is_path_at_fault);  // address unreachable
  EXPECT_TRUE(verdict_of(AF_INET6, 1, 0).is_path_at_fault);   // no route
  EXPECT_TRUE(verdict_of(AF_INET6, 3, 0).is_path_at_fault);   // going in circles
}

class WebPages : public NetDriver {
 protected:
  std::string page(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", server_.port(), path);
  }
  WebServerPeer server_;
};

TEST_F(WebPages, APageIsUp) {
  ask(page("/ok?a=b"));
  expect_up();
  EXPECT_EQ(number("reachability.status_code"), 200);
}

TEST_F(WebPages, TheWrongStatusIsDownAndTold) {
  ask(page("/busy"));
  expect_down("HTTP status 503, expected 200 to 399");
  EXPECT_EQ(number("reachability.status_code"), 503);
  ask(page("/busy#status=503"));
  expect_up();
}

TEST_F(WebPages, ARedirectIsFollowedOnlyWhenAskedFor) {
  ask(page("/moved"));
  expect_up();
  EXPECT_EQ(number("reachability.status_code"), 302);
  ask(page("/moved#redirects=1&text=all%20is%20well"));
  expect_up();
  EXPECT_EQ(number("reachability.status_code"), 200);
}

TEST_F(WebPages, APageWithoutTheExpectedTextIsDown) {
  ask(page("/ok#text=all%20is%20well"));
  expect_up();
  ask(page("/ok#text=fine"));
  expect_down("the page does not hold \"fine\"");
}

TEST_F(WebPages, ASlowServerIsDown) {
  ask(page("/slow"), 300ms);
  expect_down("no answer within 300 ms");
}

TEST_F(WebPages, AServerThatHangsUpIsDown) {
  ask(page("/nothing"));
  expect_down("Server returned nothing");
}

class SecurePages : public NetDriver {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-net-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    certificates_.emplace(folder_);
    certificates_->make("server", "-addext subjectAltName=IP:127.0.0.1", "80");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void serve(const std::string& name) { server_.emplace(file(name + ".pem"), file("server.key")); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  std::string page(const std::string& options) const {
    return fmt::format("https://127.0.0.1:{}/ok#{}", server_->port(), options);
  }
  /// openssl req makes none that has ended.
  void make_expired() const {
    BIO* in = ::BIO_new_file(file("server.pem").c_str(), "r");
    X509* certificate = ::PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
    ::BIO_free(in);
    in = ::BIO_new_file(file("ca.key").c_str(), "r");
    EVP_PKEY* key = ::PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
    ::BIO_free(in);
    constexpr long day = 86'400;
    ::X509_gmtime_adj(X509_getm_notBefore(certificate), -30 * day);
    ::X509_gmtime_adj(X509_getm_notAfter(certificate), -3 * day);
    ASSERT_GT(::X509_sign(certificate, key, EVP_sha256()), 0);
    BIO* out = ::BIO_new_file(file("expired.pem").c_str(), "w");
    ::PEM_write_bio_X509(out, certificate);
    ::BIO_free(out);
    ::EVP_PKEY_free(key);
    ::X509_free(certificate);
  }

  std::filesystem::path folder_;
  std::optional<TestCertificates> certificates_;
  std::optional<WebServerPeer> server_;
};

TEST_F(SecurePages, ATrustedCertificateIsUpAndItsDaysAreTold) {
  serve("server");
  ask(page("ca_file=" + file("ca.pem")));
  expect_up();
  EXPECT_NEAR(number("reachability.certificate_days").value_or(0), 79.5, 0.6);
}

TEST_F(SecurePages, AnUnknownAuthorityIsDownUnlessThatIsWanted) {
  serve("server");
  ask(page(""));
  expect_down("certificate");
  EXPECT_NEAR(number("reachability.certificate_days").value_or(0), 79.5, 0.6);
  ask(page("verify=no"));
  expect_up();
  EXPECT_NEAR(number("reachability.certificate_days").value_or(0), 79.5, 0.6);
}

TEST_F(SecurePages, AnExpiredCertificateIsDownAndTellsSinceWhen) {
  make_expired();
  serve("expired");
  ask(page("ca_file=" + file("ca.pem")));
  expect_down("expired");
  EXPECT_NEAR(number("reachability.certificate_days").value_or(0), -3.5, 0.6);
}

}  // namespace
}  // namespace watchroom::agent
