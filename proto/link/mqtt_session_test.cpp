// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/mqtt_session.hpp"

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/link/test_certificates.hpp"

namespace watchroom {
namespace {

using namespace std::chrono_literals;

/// A listening socket on a free loopback port.
class Listener {
 public:
  explicit Listener(int backlog) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, backlog), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    for (const int client : clients_) ::close(client);
    ::close(socket_);
  }
  /// Takes a connection and ends it, as a broker that does not like us; false when shut.
  bool refuse_one() const {
    const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) ::close(client);
    return client >= 0;
  }
  void shut() const { ::shutdown(socket_, SHUT_RDWR); }
  /// Connects until the backlog is full: from then on every SYN is dropped.
  void fill_backlog() {
    for (int i = 0; i < 4; ++i) {
      clients_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const sockaddr_in address = loopback(port);
      static_cast<void>(
          ::connect(clients_.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
    }
  }

  int port = 0;

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  const int socket_;
  std::vector<int> clients_;
};

class RecordedEvents final : public MqttEvents {
 public:
  MqttMessage will(SessionNumber session) override {
    const std::lock_guard lock{mutex_};
    sessions_.insert(session);
    return {};
  }
  void on_connected(SessionNumber) override {}
  void on_disconnected(SessionNumber, bool, const std::string& reason) override {
    {
      const std::lock_guard lock{mutex_};
      reasons_.push_back(reason);
    }
    ended_.notify_all();
  }
  void on_message(SessionNumber, std::string_view, std::string_view) override {}

  /// The reasons of the attempts that failed, once there are `wanted` or `patience` is over.
  std::vector<std::string> reasons(std::size_t wanted, std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    ended_.wait_for(lock, patience, [&] { return reasons_.size() >= wanted; });
    return reasons_;
  }
  std::set<SessionNumber> sessions() {
    const std::lock_guard lock{mutex_};
    return sessions_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<SessionNumber> sessions_;
  std::vector<std::string> reasons_;
};

class MqttSessionTest : public testing::Test {
 protected:
  MqttSessionTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-mqtt-XXXXXX").string();
    EXPECT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
    TestCertificates certificates{folder_};
    certificates.make("room1");
    settings_.host = "127.0.0.1";
    settings_.ca_file = certificates.file("ca.pem");
    settings_.certificate_file = certificates.file("room1.pem");
    settings_.key_file = certificates.file("room1.key");
    settings_.reconnect_min = 10ms;
    settings_.reconnect_max = 10s;
  }
  ~MqttSessionTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  BrokerSettings settings_;
  RecordedEvents events_;
};

TEST_F(MqttSessionTest, PausesGrowWhileABrokerThatIsThereRefusesUs) {
  Listener listener{64};
  settings_.port = listener.port;
  std::thread peer{[&listener] {
    while (listener.refuse_one()) {
    }
  }};
  MqttSession session{settings_, "room1", events_, system_certificate_time, Log::quiet()};
  ASSERT_TRUE(session.start());
  // The pauses are 5 to 10 ms, 10 to 20, 20 to 40 …: the tenth attempt is over 2.5 s away at the soonest.
  const auto attempts = events_.reasons(10, 1500ms).size();
  session.stop(1s);
  listener.shut();
  peer.join();
  EXPECT_GE(attempts, 4u);
  EXPECT_LT(attempts, 10u);
  EXPECT_EQ(events_.sessions(), std::set<SessionNumber>{1});  // no number, hence no bdSeq, is used up
}

TEST_F(MqttSessionTest, ABrokerThatDropsSynsNeitherHoldsAnAttemptNorTheStop) {
  Listener listener{0};
  listener.fill_backlog();
  settings_.port = listener.port;
  settings_.connect_timeout = 1s;
  MqttSession session{settings_, "room1", events_, system_certificate_time, Log::quiet()};
  ASSERT_TRUE(session.start());
  const auto reasons = events_.reasons(1, 5s);
  ASSERT_FALSE(reasons.empty());
  EXPECT_EQ(reasons.front(), "127.0.0.1:" + std::to_string(listener.port) + " does not answer");
  const auto asked = std::chrono::steady_clock::now();
  session.stop(5s);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 2s);
}

TEST_F(MqttSessionTest, ABrokerThatIsNotThereIsNamedAsSuch) {
  {
    const Listener gone{1};
    settings_.port = gone.port;
  }
  MqttSession session{settings_, "room1", events_, system_certificate_time, Log::quiet()};
  ASSERT_TRUE(session.start());
  const auto reasons = events_.reasons(1, 5s);
  ASSERT_FALSE(reasons.empty());
  EXPECT_EQ(reasons.front(), "Connection refused");
  session.stop(1s);
}

}  // namespace
}  // namespace watchroom
