// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/renewal.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "agent/enrolment/device_key.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/link/test_certificates.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

const Timestamp start = from_ms(1'800'000'000'000);
constexpr std::chrono::milliseconds year = 24h * 365;

TEST(RenewalDue, IsAtTwoThirdsOfALifeAndSpreadOut) {
  EXPECT_EQ(renewal_due(start, start + year, 0.0) - start, year * 2 / 3);
  EXPECT_EQ(renewal_due(start, start + year, 1.0) - start, year * 2 / 3 + year / 20);
  EXPECT_EQ(renewal_due(start, start, 0.5), start);
}

TEST(RenewalDue, LeavesMoreThanAMonthOfAYear) {
  EXPECT_GT(start + year - renewal_due(start, start + year, 1.0), 24h * 100);
}

TEST(RenewalPause, GrowsAndStaysShortBesideTheLife) {
  EXPECT_EQ(renewal_pause(year, 1), 1min);
  EXPECT_EQ(renewal_pause(year, 2), 2min);
  EXPECT_EQ(renewal_pause(year, 50), 6h);
  EXPECT_EQ(renewal_pause(60s, 1), 1s);
  EXPECT_EQ(renewal_pause(60s, 50), 2s);
}

TEST(RenewalTimerOfASureClock, FollowsTheClock) {
  RenewalTimer timer;
  EXPECT_EQ(timer.wait(start, start + year, 0.0, {start, true}, Steady{10s}), year * 2 / 3);
  EXPECT_EQ(timer.wait(start, start + year, 0.0, {start + year * 2 / 3, true}, Steady{20s}), 0ms);
  EXPECT_EQ(timer.wait(start, start + year, 0.0, {start + year * 2, true}, Steady{30s}), 0ms) << "run out";
}

TEST(RenewalTimerOfAClockThatNobodyVouchesFor, IsDueWhenEvenBySurelyPastTimeItIs) {
  RenewalTimer timer;
  EXPECT_EQ(timer.wait(start, start + year, 0.0, {start + year * 2 / 3, false}, Steady{10s}), 0ms);
}

TEST(RenewalTimerOfAClockThatNobodyVouchesFor, RenewsWithoutAClockAndThenByTheTimeThatPassed) {
  RenewalTimer timer;
  const CertificateTime unsure{start - year, false};
  EXPECT_EQ(timer.wait(start, start + year, 0.0, unsure, Steady{10s}), 2min);
  EXPECT_EQ(timer.wait(start, start + year, 0.0, unsure, Steady{100s}), 30s);
  EXPECT_EQ(timer.wait(start, start + year, 0.0, unsure, Steady{130s}), 0ms)
      << "it may have run out, and then nobody who knows the time is in reach";
  timer.renewed(Steady{130s});
  EXPECT_EQ(timer.wait(start, start + year, 0.0, unsure, Steady{131s}), year * 2 / 3 - 1s);
}

TEST(RenewalTimerOfAClockThatNobodyVouchesFor, WaitsForWhoeverKnowsTheTime) {
  RenewalTimer timer;
  const CertificateTime unsure{start - year, false}, sure{start, true};
  EXPECT_EQ(timer.wait(start, start + year, 0.0, unsure, Steady{10s}), 2min);
  EXPECT_EQ(timer.wait(start, start + year, 0.0, sure, Steady{20s}), year * 2 / 3);
  EXPECT_EQ(timer.wait(start, start + year, 0.0, sure, Steady{200s}), year * 2 / 3);
  EXPECT_EQ(timer.wait(start, start + year, 0.0, unsure, Steady{300s}), 2min) << "from now";
}

TEST(RenewalOfAPairThatWasReplacedByHalf, IsFinishedWithoutARestart) {
  std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-renewal-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const TestCertificates made{folder};
  made.make("old");
  made.make("new");
  const auto read = [&](const std::string& name) {
    std::ifstream in{folder / name};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
  };
  const IdentityFiles files{"hq", "room1", folder / "ca.pem", folder / "own.pem", folder / "own.key"};
  ASSERT_TRUE(replace_key_pair(files.pair(), read("old.pem"), read("old.key")));
  ASSERT_TRUE(replace_file(folder / "own.key.next", read("new.key") + read("new.pem")));
  ASSERT_TRUE(replace_file(files.key, read("new.key")));
  ASSERT_FALSE(load_key_pair(files.pair()));
  const FakeClock machine{SystemClock{}.now()};
  const AgentClock clock{machine};
  Renewal renewal{{"127.0.0.1", "1"}, files, clock, Log::quiet(), [] {}};
  renewal.look();
  const auto present = load_key_pair(files.pair());
  ASSERT_TRUE(present);
  EXPECT_EQ(present->certificate_pem, read("new.pem"));
  std::filesystem::remove_all(folder);
}

TEST(DeviceKeyOfThisMachine, IsP256AndItsRequestIsReadByOpenssl) {
  std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-key-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const auto made = make_device_key("hq.room1"), other = make_device_key("hq.room1");
  ASSERT_TRUE(made && other);
  EXPECT_NE(made->key_pem, other->key_pem);
  std::ofstream{folder / "csr", std::ios::binary} << made->request_der;
  std::ofstream{folder / "key"} << made->key_pem;
  const std::string in = "cd " + folder.string() + " && ";
  EXPECT_EQ(std::system((in + "openssl req -inform DER -in csr -verify -noout -subject 2>/dev/null | grep -q "
                              "'CN = hq.room1'")
                            .c_str()),
            0);
  EXPECT_EQ(std::system((in + "openssl ec -in key -noout -text 2>/dev/null | grep -q prime256v1").c_str()),
            0);
  EXPECT_EQ(
      std::system((in + "test \"$(openssl req -inform DER -in csr -noout -pubkey)\" = \"$(openssl pkey -in "
                        "key -pubout)\"")
                      .c_str()),
      0);
  std::filesystem::remove_all(folder);
}

TEST(EstAddressText, IsHttpsWithHostAndPort) {
  EXPECT_EQ(EstAddress::parse("https://centre.example:8444"), (EstAddress{"centre.example", "8444"}));
  EXPECT_EQ(EstAddress::parse("https://10.0.0.1/"), (EstAddress{"10.0.0.1", "443"}));
  EXPECT_EQ(EstAddress::parse("https://[::1]:8444"), (EstAddress{"::1", "8444"}));
  for (const char* wrong : {"", "http://centre:8444", "https://", "https://centre:", "https://centre:0",
                            "https://centre:99999", "https://centre:84x4", "https://centre/x",
                            "https://a@centre:1", "https://[::1", "https://[::1]x:1", "https://a b:1"})
    EXPECT_FALSE(EstAddress::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace watchroom::agent
