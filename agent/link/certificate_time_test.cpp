// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "agent/link/test_broker.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

/// How one attempt to reach a real broker ended: connected, or why not.
class Attempt final : public MqttEvents {
 public:
  Attempt(BrokerSettings settings, CertificateTime time)
      : session_{std::move(settings), "room1", *this, [time] { return time; }, Log::quiet()} {
    if (const auto started = session_.start(); !started) note(started.error().text);
    std::unique_lock lock{mutex_};
    ended_.wait_for(lock, 20s, [this] { return !outcome_.empty(); });
  }
  std::string outcome() {
    const std::lock_guard lock{mutex_};
    return outcome_;
  }

 private:
  MqttMessage will(SessionNumber) override { return {}; }
  void on_connected(SessionNumber) override { note("connected"); }
  void on_disconnected(SessionNumber, bool, const std::string& reason) override { note(reason); }
  void on_message(SessionNumber, std::string_view, std::string_view) override {}
  void note(const std::string& outcome) {
    const std::lock_guard lock{mutex_};
    if (outcome_.empty()) outcome_ = outcome;
    ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::string outcome_;
  MqttSession session_;  // last: its thread calls the rest
};

class CertificateTimeTest : public testing::Test {
 protected:
  std::string attempt(CertificateTime time) { return Attempt{settings_, time}.outcome(); }

  TestBroker broker_;
  BrokerSettings settings_ = broker_.settings_for("room1");
  const Timestamp now_ = SystemClock{}.now();
};

TEST_F(CertificateTimeTest, ACertificateThatServesIsTaken) { EXPECT_EQ(attempt({now_, true}), "connected"); }

TEST_F(CertificateTimeTest, ByAClockThatIsSureACertificateOfTomorrowIsRefusedWithItsName) {
  EXPECT_EQ(attempt({now_ - 24h, true}),
            "the broker's certificate is refused: /CN=throw-away: certificate is not yet valid");
}

TEST_F(CertificateTimeTest, AClockThatWasNeverSetKeepsNobodyOut) {
  EXPECT_EQ(attempt({from_ms(600'000), false}), "connected");
}

TEST_F(CertificateTimeTest, WhatHadRunOutByATimeThatHasSurelyBeenIsRefused) {
  for (const bool is_sure : {true, false})
    EXPECT_EQ(attempt({now_ + 24h * 3, is_sure}),
              "the broker's certificate is refused: /CN=throw-away: certificate has expired");
}

TEST_F(CertificateTimeTest, ACertificateForAnotherNameIsRefusedWhateverTheTime) {
  settings_.host = "localhost";  // the broker's is for 127.0.0.1
  for (const bool is_sure : {true, false})
    EXPECT_EQ(attempt({now_, is_sure}), "the broker's certificate is refused: /CN=broker: hostname mismatch");
}

TEST_F(CertificateTimeTest, AnotherAuthorityIsRefusedWhateverTheTime) {
  const TestBroker other;
  settings_.ca_file = other.file("ca.pem");
  EXPECT_NE(attempt({from_ms(600'000), false}).find("the broker's certificate is refused"),
            std::string::npos);
}

TEST_F(CertificateTimeTest, AFileThatWentBadIsNamed) {
  std::ofstream{settings_.key_file} << "nonsense\n";
  const std::string outcome = attempt({now_, true});
  EXPECT_NE(outcome.find(settings_.key_file.string()), std::string::npos) << outcome;
}

}  // namespace
}  // namespace watchroom::agent
