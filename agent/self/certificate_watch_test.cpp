// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/certificate_watch.hpp"

#include <gtest/gtest.h>

#include "agent/journal/scratch_folder.hpp"
#include "agent/self/self_device.hpp"
#include "agent/self/tested_figures.hpp"
#include "proto/link/test_certificates.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

class CertificateWatchTest : public testing::Test {
 protected:
  double days_left(Timestamp at) { return watch_.look(at).remaining_s.value_or(0.0) / 86'400; }

  ScratchFolder folder_;
  TestCertificates certificates_{folder_.path()};
  SystemClock clock_;
  CertificateWatch watch_{"client", certificates_.file("agent.pem"), CertificateFile::chain};
};

TEST_F(CertificateWatchTest, FollowsARenewal) {
  certificates_.make("agent", "", "10");
  EXPECT_EQ(watch_.look(clock_.now()).state, CertificateState::valid);
  EXPECT_NEAR(days_left(clock_.now()), 10, 0.1);
  certificates_.make("agent", "", "90");
  EXPECT_NEAR(days_left(clock_.now()), 90, 0.1);
}

TEST_F(CertificateWatchTest, SaysThatItHasRunOutAndForHowLong) {
  certificates_.make("agent", "", "10");
  const auto later = clock_.now() + 24h * 12;
  EXPECT_EQ(watch_.look(later).state, CertificateState::expired);
  EXPECT_NEAR(days_left(later), -2, 0.1);
  EXPECT_EQ(watch_.look(clock_.now() - 24h * 5).state, CertificateState::not_yet);
}

// The warnings of the centre are limits of this point: 30, 14, 7 and 1
// (aggregator/alarms/default_rules.toml).
TEST_F(CertificateWatchTest, TheDaysThatTheCentreIsToldStepOnTheDayOfEachWarning) {
  certificates_.make("agent", "", "365");
  const auto now = clock_.now();
  const auto left = watch_.look(now).remaining_s;
  ASSERT_TRUE(left);
  const Timestamp end = now + std::chrono::seconds{static_cast<std::int64_t>(*left)};
  const auto told = [&](Timestamp at) -> std::optional<Value> {
    SelfFigures figures = tested_figures();
    figures.certificates = {watch_.look(at)};
    SelfDevice self{0};
    const PollResult polled = self.polled(figures);
    for (std::size_t i = 0; i < polled.readings.size(); ++i)
      if (polled.description->points[i].name.str() == "certificate[client].days")
        return polled.readings[i].value;
    return std::nullopt;
  };
  for (const std::int64_t day : {30, 14, 7, 1}) {
    EXPECT_EQ(told(end - 24h * day - 1min), Value{day}) << "no warning yet";
    EXPECT_EQ(told(end - 24h * day + 1min), Value{day - 1}) << "the warning";
  }
  EXPECT_EQ(told(end + 24h * 90 - 1min), Value{std::int64_t{-90}}) << "a renewal is still in time";
}

TEST_F(CertificateWatchTest, AFileThatIsRemovedIsUnreadableUntilItIsBack) {
  EXPECT_EQ(watch_.look(clock_.now()).state, CertificateState::unreadable);
  certificates_.make("agent", "", "10");
  EXPECT_EQ(watch_.look(clock_.now()).state, CertificateState::valid);
  std::filesystem::rename(certificates_.file("agent.pem"), certificates_.file("aside"));
  const CertificateFigures gone = watch_.look(clock_.now());
  EXPECT_EQ(gone.state, CertificateState::unreadable);
  EXPECT_FALSE(gone.remaining_s) << "what was read before is not what is there";
  std::filesystem::rename(certificates_.file("aside"), certificates_.file("agent.pem"));
  EXPECT_EQ(watch_.look(clock_.now()).state, CertificateState::valid);
}

}  // namespace
}  // namespace watchroom::agent
