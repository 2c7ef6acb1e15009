// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/certificate_watch.hpp"

#include <gtest/gtest.h>

#include "agent/journal/scratch_folder.hpp"
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
