// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/broker_files.hpp"

#include <sys/stat.h>

#include "aggregator/authority/keeper.hpp"
#include "aggregator/authority/tested_authority.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

TEST(AccessRules, GiveEachAgentItsOwnSiteAndNameOnly) {
  const std::string rules = access_rules("watchroom", {{"hq", "room1", "hq.room1", "valid", ""}}, "user x\n");
  EXPECT_EQ(
      rules,
      "# Written by watchroom-aggregator; put rules of your own into more_acl_file.\n"
      "\nuser watchroom\ntopic read spBv1.0/#\ntopic write spBv1.0/+/NCMD/+\n"
      "topic write spBv1.0/+/DCMD/+/+\ntopic write spBv1.0/STATE/watchroom\n"
      "\nuser hq.room1\ntopic write spBv1.0/hq/NBIRTH/room1\ntopic write spBv1.0/hq/NDATA/room1\n"
      "topic write spBv1.0/hq/NDEATH/room1\ntopic write spBv1.0/hq/DBIRTH/room1/+\n"
      "topic write spBv1.0/hq/DDATA/room1/+\ntopic write spBv1.0/hq/DDEATH/room1/+\n"
      "topic read spBv1.0/hq/NCMD/room1\ntopic read spBv1.0/hq/DCMD/room1/+\ntopic read spBv1.0/STATE/+\n"
      "\nuser x\n");
}

class KeeperTest : public TestedAuthority {
 protected:
  /// Nobody listens at the broker's port: only files are looked at here.
  std::unique_ptr<Keeper> keeper() {
    BrokerSettings broker;
    broker.host = "127.0.0.1";
    broker.port = 1;
    broker.ca_file = folder / "authority" / "ca.pem";
    return std::make_unique<Keeper>(Keeper::Plan{"watchroom", broker, folder / "authority"}, *authority,
                                    clock, trail, Log::quiet(),
                                    [this](const Keeper::News& news) { trouble = news.trouble; });
  }
  std::optional<Timestamp> end_of_list() const {
    return authority->issuer().end_of_revocation_list(read("broker/crl.pem"));
  }
  std::string trouble;
};

TEST_F(KeeperTest, WritesAllFilesAtTheStart) {
  ASSERT_TRUE(keeper()->write_all());
  EXPECT_EQ(read("broker/ca.pem"), authority->ca_pem());
  EXPECT_NE(read("broker/acl").find("user watchroom"), std::string::npos);
  EXPECT_TRUE(end_of_list());
  struct stat status {};
  ASSERT_EQ(::stat((folder / "broker" / "acl").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_F(KeeperTest, AnAgentIsInTheRulesBeforeItGetsItsCertificate) {
  const auto keeps = keeper();
  enrolled();
  EXPECT_NE(read("broker/acl").find("user hq.room1\n"), std::string::npos);
}

TEST_F(KeeperTest, ARevocationIsInTheListAtOnce) {
  const auto keeps = keeper();
  ASSERT_TRUE(keeps->write_all());
  write("agent.der", enrolled());
  run("openssl x509 -inform DER -in agent.der -out agent.pem");
  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  EXPECT_NE(run("openssl verify -crl_check -CAfile broker/ca.pem -CRLfile broker/crl.pem agent.pem")
                .out.find("certificate revoked"),
            std::string::npos);
  ASSERT_TRUE(keeps->write_all());
  EXPECT_EQ(read("broker/acl").find("user hq.room1\n"), std::string::npos);
}

TEST_F(KeeperTest, TheListIsRenewedWeeklyAndWhenItHasRunOut) {
  const auto keeps = keeper();
  ASSERT_TRUE(keeps->write_all());
  const std::string first = read("broker/crl.pem");
  clock.advance(24h * 6);
  ASSERT_TRUE(keeps->write_all());
  EXPECT_EQ(read("broker/crl.pem"), first);
  clock.advance(25h);
  ASSERT_TRUE(keeps->write_all());
  EXPECT_NE(read("broker/crl.pem"), first);
  clock.advance(24h * 1000);
  ASSERT_LT(*end_of_list(), clock.now());
  ASSERT_TRUE(keeps->write_all());
  EXPECT_GT(*end_of_list(), clock.now());
  write("broker/crl.pem", "half a li");
  ASSERT_TRUE(keeps->write_all());
  EXPECT_TRUE(end_of_list());
}

TEST_F(KeeperTest, AFolderThatCannotBeWrittenIsTroubleAndNoReasonToStop) {
  write("broker", "a file where the folder should be");
  const auto keeps = keeper();
  keeps->start();
  EXPECT_NE(trouble.find("broker"), std::string::npos) << trouble;
  EXPECT_EQ(trail.last("broker_files.write").outcome, Outcome::failed);
  enrolled();
  std::filesystem::remove(folder / "broker");
  EXPECT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  keeps->stop();
  EXPECT_TRUE(end_of_list()) << "and it is written as soon as it can be";
}

TEST_F(KeeperTest, APidThatIsNoBrokersIsLeftAlone) {
  write("pid", std::to_string(::getpid()));
  const BrokerFiles files{folder / "broker", folder / "pid"};
  const auto told = files.reload();
  ASSERT_FALSE(told) << "SIGHUP would have ended this test";
  EXPECT_NE(told.error().text.find("broker_pid_file"), std::string::npos) << told.error().text;
  EXPECT_EQ((BrokerFiles{folder / "broker", folder / "nothing"}.reload().error().code), Errc::not_found);
}

TEST_F(KeeperTest, ABrokerThatWasNotToldIsTrouble) {
  settings.broker_pid_file = folder / "pid";
  open();
  const auto keeps = keeper();
  keeps->start();
  keeps->stop();
  EXPECT_NE(trouble.find("broker_pid_file"), std::string::npos) << trouble;
  EXPECT_TRUE(end_of_list()) << "the files are written all the same";
}

/// As the offline commands do it: another authority in the same folder, whose trail nobody hears.
TEST_F(KeeperTest, WhatIsDoneBesideTheRunningAggregatorIsListedAndAudited) {
  ASSERT_TRUE(keeper()->write_all());
  NotedTrail unheard;
  auto beside = Authority::open(folder / "authority", "watchroom", settings, clock, unheard, Log::quiet());
  ASSERT_TRUE(beside);
  const CertificatePlan plan{
      "dashboard", CertificatePlan::Use::client, {}, clock.now() - 1h, clock.now() + 24h * 90};
  const auto made = (*beside)->issue(plan, "client");
  ASSERT_TRUE(made);
  write("client.pem", made->certificate_pem);
  const auto found = (*beside)->unrevoked("", "dashboard");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  ASSERT_TRUE((*beside)->revoke_certificates(*found, "laptop stolen"));
  EXPECT_EQ(*authority->uncut_programs(), std::vector<std::string>{"dashboard"});
  ASSERT_TRUE(authority->note_program_cut("dashboard"));
  EXPECT_TRUE(authority->uncut_programs()->empty());
  const auto keeps = keeper();
  keeps->start();
  keeps->stop();
  EXPECT_NE(run("openssl verify -crl_check -CAfile broker/ca.pem -CRLfile broker/crl.pem client.pem")
                .out.find("certificate revoked"),
            std::string::npos);
  EXPECT_EQ(trail.last("certificate.issue").object, "client dashboard");
  EXPECT_EQ(trail.last("certificate.revoke").object, "client dashboard");
  EXPECT_NE(trail.last("certificate.revoke").detail.find("laptop stolen"), std::string::npos);
  EXPECT_EQ(trail.last("authority.init").outcome, Outcome::done);
  EXPECT_FALSE(authority->is_list_owed());
}

TEST_F(KeeperTest, AProgramThatHasAnotherValidCertificateIsNotCut) {
  const CertificatePlan plan{
      "dashboard", CertificatePlan::Use::client, {}, clock.now() - 1h, clock.now() + 24h * 90};
  ASSERT_TRUE(authority->issue(plan, "client"));
  const auto old = authority->unrevoked("", "dashboard");
  ASSERT_TRUE(old);
  ASSERT_TRUE(authority->issue(plan, "client"));
  ASSERT_TRUE(authority->revoke_certificates(*old, "renewed by hand"));
  EXPECT_TRUE(authority->uncut_programs()->empty());
  const auto rest = authority->unrevoked("", "dashboard");
  ASSERT_EQ(rest->size(), 1u);
  ASSERT_TRUE(authority->revoke_certificates(*rest, "laptop stolen"));
  EXPECT_EQ(*authority->uncut_programs(), std::vector<std::string>{"dashboard"});
}

}  // namespace
}  // namespace watchroom::aggregator
