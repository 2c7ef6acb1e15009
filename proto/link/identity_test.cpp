// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/identity.hpp"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/base/settings.hpp"
#include "proto/link/mqtt_session.hpp"
#include "proto/link/test_certificates.hpp"

namespace watchroom {
namespace {

using testing::HasSubstr;

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    certificates_.make("room1");
    certificates_.make("room2");
  }
  static std::filesystem::path new_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-identity-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  ~IdentityTest() override { std::filesystem::remove_all(folder_); }

  std::vector<IdentityProblem> check(const std::string& certificate, const std::string& key,
                                     std::time_t now = std::time(nullptr)) const {
    return check_identity(certificates_.file("ca.pem"), certificates_.file(certificate),
                          certificates_.file(key), now);
  }
  std::string settings(const std::string& key) const {
    return "host = \"h\"\nca_file = \"ca.pem\"\ncertificate_file = \"room1.pem\"\nkey_file = \"" + key +
           "\"\n";
  }
  std::string problems_of(const std::string& text) const {
    Problems problems;
    const auto table = SettingsTable::parse(text, certificates_.file("agent.toml"), problems);
    static_cast<void>(BrokerSettings::read(*table));
    return problems.str();
  }

  const std::filesystem::path folder_ = new_folder();
  TestCertificates certificates_{folder_};
};

TEST_F(IdentityTest, FilesThatBelongTogetherAreFine) {
  EXPECT_TRUE(check("room1.pem", "room1.key").empty());
  EXPECT_EQ(problems_of(settings("room1.key")), "");
}

TEST_F(IdentityTest, AKeyOfAnotherCertificateIsRefused) {
  const auto problems = check("room1.pem", "room2.key");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].about, IdentityProblem::About::key);
  EXPECT_FALSE(problems[0].is_warning);
  EXPECT_THAT(problems_of(settings("room2.key")), HasSubstr("agent.toml:4: key_file: "));
  EXPECT_THAT(problems_of(settings("room2.key")), HasSubstr("does not belong to the certificate"));
}

TEST_F(IdentityTest, FilesWithSomethingElseInThemAreRefused) {
  std::ofstream{certificates_.file("rubbish")} << "-----BEGIN CERTIFICATE-----\nxx\n";
  const auto problems = check("rubbish", "room1.pem");
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_THAT(problems[0].text, HasSubstr("rubbish\" holds no certificate"));
  EXPECT_THAT(problems[1].text, HasSubstr("room1.pem\" holds no private key"));
}

TEST_F(IdentityTest, AChainServesAsLongAsEachOfItAndABundleAsTheNextToRunOut) {
  constexpr std::int64_t day = 86'400;
  const std::int64_t now = std::time(nullptr);
  const auto days = [&](const std::optional<Validity>& validity) {
    return validity ? std::lround(static_cast<double>(validity->until - now) / day) : -1;
  };
  certificates_.make("short", "", "10");
  certificates_.make("long", "", "9000");  // beyond 2038
  const auto put_together = [&](const std::string& name, const std::vector<std::string>& parts) {
    std::ofstream all{certificates_.file(name)};
    for (const std::string& part : parts) all << std::ifstream{certificates_.file(part)}.rdbuf();
    return std::filesystem::path{certificates_.file(name)};
  };
  using Kind = CertificateFile;
  EXPECT_EQ(days(read_validity(certificates_.file("long.pem"), Kind::chain, now)), 9000);
  const auto both = put_together("both.pem", {"long.pem", "short.pem"});
  EXPECT_EQ(days(read_validity(both, Kind::chain, now)), 10);
  EXPECT_EQ(days(read_validity(both, Kind::bundle, now)), 10);
  EXPECT_EQ(days(read_validity(both, Kind::chain, now + 20 * day)), 10) << "a broken chain stays broken";
  EXPECT_EQ(days(read_validity(both, Kind::bundle, now + 20 * day)), 9000);
  EXPECT_EQ(days(read_validity(both, Kind::bundle, now + 20'000 * day)), 9000) << "all have run out";
  EXPECT_EQ(read_validity(certificates_.file("short.key"), Kind::chain, now), std::nullopt);
  EXPECT_EQ(read_validity(certificates_.file("missing"), Kind::bundle, now), std::nullopt);
}

TEST_F(IdentityTest, AFolderIsNoKeyFile) {
  std::filesystem::create_directory(folder_ / "keys");
  EXPECT_THAT(problems_of(settings("keys")),
              HasSubstr("keys\" is a folder, expected a file that can be read"));
}

TEST_F(IdentityTest, ACertificateThatHasRunOutIsAWarning) {
  const auto problems = check("room1.pem", "room1.key", std::time(nullptr) + 30 * 24 * 3600);
  ASSERT_EQ(problems.size(), 2u);
  for (const IdentityProblem& problem : problems) {
    EXPECT_TRUE(problem.is_warning);
    EXPECT_THAT(problem.text, HasSubstr("has run out on"));
  }
}

}  // namespace
}  // namespace watchroom
