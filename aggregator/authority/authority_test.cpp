// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/authority.hpp"

#include <sys/stat.h>

#include "aggregator/authority/tested_authority.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class AuthorityTest : public TestedAuthority {};

TEST_F(AuthorityTest, IsMadeAtTheFirstStartAndIsTheSameAtTheNext) {
  const std::string before = authority->issuer().sha256();
  struct stat status {};
  ASSERT_EQ(::stat((folder / "authority" / "ca.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  open();
  EXPECT_EQ(authority->issuer().sha256(), before);
  EXPECT_NE(run("openssl x509 -in authority/ca.pem -noout -text").out.find("CA:TRUE"), std::string::npos);
}

TEST_F(AuthorityTest, NeverMakesASecondOneWhereTheFirstWasLost) {
  authority.reset();
  std::filesystem::remove(folder / "authority" / "ca.pem");
  const auto opened =
      Authority::open(folder / "authority", "watchroom", settings, clock, trail, Log::quiet());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("put it back from a backup"), std::string::npos) << opened.error().text;
}

TEST_F(AuthorityTest, CertifiesAnAgentForAToken) {
  const std::string der = enrolled();
  write("agent.der", der);
  EXPECT_EQ(
      run("openssl x509 -inform DER -in agent.der -out agent.pem && openssl verify -x509_strict -purpose "
          "sslclient -CAfile authority/ca.pem agent.pem")
          .code,
      0);
  EXPECT_NE(run("openssl verify -purpose sslserver -CAfile authority/ca.pem agent.pem").code, 0)
      << "an agent must not pass for a server";
  const auto shown = x509::certificate_of_der(der);
  EXPECT_EQ(x509::common_name_of(*X509_get_subject_name(shown.get())), "hq.room1");
  EXPECT_EQ(state_of("room1"), "valid");
  EXPECT_EQ(trail.last("agent.enrol").outcome, Outcome::done);
  EXPECT_EQ(trail.last("agent.enrol").from, "10.0.0.1");
  EXPECT_EQ(trail.last("agent.invite").who, "admin");
}

TEST_F(AuthorityTest, ATokenIsGoodForOneUse) {
  const std::string token = invite();
  ASSERT_TRUE(authority->enrol(token, request("hq.room1"), "10.0.0.1"));
  const auto again = authority->enrol(token, request("hq.room1"), "10.0.0.2");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::refused);
  EXPECT_EQ(trail.last("agent.enrol").outcome, Outcome::refused);
  EXPECT_EQ(trail.last("agent.enrol").from, "10.0.0.2");
  EXPECT_NE(trail.last("agent.enrol").detail.find("used"), std::string::npos);
}

TEST_F(AuthorityTest, ARequestThatIsRefusedDoesNotSpendTheToken) {
  const std::string token = invite();
  for (const std::string name : {"hq.room2", "branch.room1", "watchroom", "room1", "hq.room1x"}) {
    const auto refused = authority->enrol(token, request(name), "10.0.0.1");
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, Errc::refused) << name;
  }
  for (const std::string key : {"rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-384",
                                "ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit"}) {
    const auto refused = authority->enrol(token, request("hq.room1", "agent", key), "10.0.0.1");
    ASSERT_FALSE(refused) << key;
    EXPECT_EQ(refused.error().code, Errc::invalid) << key;
  }
  std::string forged = request("hq.room1");
  forged[forged.size() - 1] = static_cast<char>(forged.back() ^ 1);
  EXPECT_FALSE(authority->enrol(token, forged, "10.0.0.1"));
  EXPECT_FALSE(authority->enrol(token, "nonsense", "10.0.0.1"));
  EXPECT_TRUE(authority->enrol(token, request("hq.room1"), "10.0.0.1"));
}

TEST_F(AuthorityTest, AForeignAnUnknownAndAnOldTokenAreRefused) {
  const std::string token = invite();
  EnrolmentToken guess = *EnrolmentToken::parse(token);
  guess.secret[0] = static_cast<char>(guess.secret[0] ^ 1);
  EXPECT_EQ(authority->enrol(guess.str(), request("hq.room1"), "x").error().code, Errc::not_authorized);
  guess = *EnrolmentToken::parse(token);
  guess.ca_sha256[0] = static_cast<char>(guess.ca_sha256[0] ^ 1);
  EXPECT_EQ(authority->enrol(guess.str(), request("hq.room1"), "x").error().code, Errc::not_authorized);
  EXPECT_EQ(authority->enrol("wre1.", request("hq.room1"), "x").error().code, Errc::not_authorized);
  clock.advance(24h + 1ms);
  EXPECT_EQ(authority->enrol(token, request("hq.room1"), "x").error().code, Errc::refused);
  EXPECT_EQ(state_of("room1"), "");
}

TEST_F(AuthorityTest, TheTokenIsNotOnDisk) {
  const std::string token = invite();
  const std::string secret = EnrolmentToken::parse(token)->secret;
  for (const auto& entry : std::filesystem::directory_iterator{folder / "authority"}) {
    const std::string content = read("authority/" + entry.path().filename().string());
    EXPECT_EQ(content.find(token), std::string::npos) << entry.path();
    EXPECT_EQ(content.find(secret), std::string::npos) << entry.path();
  }
}

TEST_F(AuthorityTest, RenewsForTheSameNameOnly) {
  const std::string first = enrolled();
  const auto next = authority->renew(first, request("hq.room1"), "10.0.0.1");
  ASSERT_TRUE(next) << next.error().text;
  EXPECT_NE(*next, first);
  EXPECT_EQ(authority->renew(first, request("hq.room2"), "10.0.0.1").error().code, Errc::refused);
  EXPECT_EQ(trail.last("agent.renew").outcome, Outcome::refused);
}

TEST_F(AuthorityTest, RenewsLateButNotTooLate) {
  const std::string first = enrolled();
  clock.advance(settings.certificate_life + settings.late_renewal - 1h);
  EXPECT_EQ(state_of("room1"), "expired");
  EXPECT_TRUE(authority->renew(first, request("hq.room1"), "10.0.0.1"));
  clock.advance(2h);
  const auto refused = authority->renew(first, request("hq.room1"), "10.0.0.1");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("too long ago"), std::string::npos);
}

TEST_F(AuthorityTest, ALateRenewalIsForCertificatesThatNobodyRevoked) {
  const std::string first = enrolled();
  clock.advance(settings.certificate_life + 24h);
  ASSERT_TRUE(authority->renew(first, request("hq.room1"), "10.0.0.1")) << "a day late";
  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {"admin", "10.0.0.9"}));
  const auto refused = authority->renew(first, request("hq.room1"), "10.0.0.1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_NE(refused.error().text.find("revoked"), std::string::npos) << refused.error().text;
  EXPECT_EQ(trail.last("agent.renew").outcome, Outcome::refused);
}

TEST_F(AuthorityTest, ARevokedAgentNeitherRenewsNorEnrolsWithAnOldToken) {
  const std::string first = enrolled();
  const std::string second = *authority->renew(first, request("hq.room1"), "10.0.0.1");
  const std::string token = invite();
  const auto revoked = authority->revoke("hq", "room1", "stolen", {"admin", "10.0.0.9"});
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->state, "revoked");
  EXPECT_EQ(revoked->reason, "stolen");
  EXPECT_FALSE(authority->renew(first, request("hq.room1"), "x"));
  EXPECT_FALSE(authority->renew(second, request("hq.room1"), "x"));
  EXPECT_FALSE(authority->enrol(token, request("hq.room1"), "x"));
  EXPECT_TRUE(authority->admitted()->empty());
  EXPECT_EQ(trail.last("agent.revoke").detail, "stolen");
  EXPECT_EQ(authority->revoke("hq", "room9", "x", {}).error().code, Errc::not_found);
  EXPECT_EQ(authority->revoke("hq", "room1", "", {}).error().code, Errc::invalid);
  ASSERT_TRUE(authority->enrol(invite(), request("hq.room1"), "x")) << "but a new token lets it in again";
  EXPECT_EQ(state_of("room1"), "valid");
}

/// The offline command revokes what it has found before; whoever renews again and again must not slip
/// through.
TEST_F(AuthorityTest, WhatAnAgentGotWhileItWasBeingRevokedIsRevokedToo) {
  const std::string first = enrolled();
  NotedTrail unheard;
  auto beside = Authority::open(folder / "authority", "watchroom", settings, clock, unheard, Log::quiet());
  ASSERT_TRUE(beside);
  const auto found = (*beside)->unrevoked("", "hq.room1");
  const auto second = authority->renew(first, request("hq.room1"), "10.0.0.1");
  ASSERT_TRUE(found && second);
  ASSERT_TRUE((*beside)->revoke_certificates(*found, "stolen"));
  EXPECT_FALSE(authority->may_renew(*second));
  EXPECT_EQ(state_of("room1"), "revoked");
  auto ledger = Ledger::open(folder / "authority" / "ledger.sqlite");
  ASSERT_TRUE(ledger);
  CertificateRow third = found->front();
  third.serial = "03";
  third.sha256 = "third";
  EXPECT_EQ(ledger->add_for_certificate(third, found->front().sha256).error().code, Errc::conflict);
  EXPECT_EQ(ledger->agents()->size(), 2u);
}

TEST_F(AuthorityTest, ACertificateOfAnotherAuthorityDoesNotRenew) {
  enrolled();
  EXPECT_EQ(
      run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
          "'/CN=Watchroom watchroom' -keyout evil.key -out evil.pem && openssl req -x509 -newkey ec -pkeyopt "
          "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=hq.room1 -CA evil.pem -CAkey evil.key -keyout "
          "clone.key -outform DER -out clone.der")
          .code,
      0);
  EXPECT_EQ(authority->renew(read("clone.der"), request("hq.room1"), "x").error().code, Errc::refused);
  CertificatePlan host{"hq.room1", CertificatePlan::Use::client, {}, clock.now(), clock.now() + 1h};
  const auto unlisted = authority->issuer().issue(host);
  EXPECT_EQ(authority->renew(x509::der_of(*unlisted->certificate), request("hq.room1"), "x").error().code,
            Errc::refused)
      << "ours, but not on record";
}

TEST_F(AuthorityTest, TheListOfTheRevokedIsReadByOpenssl) {
  write("agent.der", enrolled());
  run("openssl x509 -inform DER -in agent.der -out agent.pem");
  write("crl.pem", *authority->make_revocation_list());
  const std::string check = "openssl verify -crl_check -CAfile authority/ca.pem -CRLfile crl.pem agent.pem";
  EXPECT_EQ(run(check).code, 0) << run(check).out;
  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  write("crl.pem", *authority->make_revocation_list());
  EXPECT_NE(run(check).out.find("certificate revoked"), std::string::npos) << run(check).out;
}

/// TLS libraries keep lists they have read and take the latest; of two from one second the first.
TEST_F(AuthorityTest, EachListBeginsLaterThanTheOneBefore) {
  std::string before;
  for (int i = 0; i < 3; ++i) {
    write("crl.pem", *authority->make_revocation_list());
    const std::string begin = run("openssl crl -in crl.pem -noout -lastupdate -dateopt iso_8601").out;
    EXPECT_LT(before, begin);
    before = begin;
  }
  write("crl.pem", *authority->make_revocation_list());
  const auto end = authority->issuer().end_of_revocation_list(read("crl.pem"));
  ASSERT_TRUE(end);
  EXPECT_GT(*end - clock.now(), 24h * 729);
}

TEST_F(AuthorityTest, AListMadeByAClockThatWentBackDoesNotEndEarlier) {
  const auto first = authority->issuer().end_of_revocation_list(*authority->make_revocation_list());
  clock.jump_wall(-24h * 3650);
  const auto second = authority->issuer().end_of_revocation_list(*authority->make_revocation_list());
  ASSERT_TRUE(first && second);
  EXPECT_GE(*second + 2h, *first);
}

TEST_F(AuthorityTest, AClockThatIsAheadTakesNobodyFromTheListOfTheRevoked) {
  enrolled();
  clock.jump_wall(24h * 365 * 14);
  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  EXPECT_TRUE(authority->is_list_owed());
  const auto list = authority->make_list();
  ASSERT_TRUE(list) << list.error().text;
  EXPECT_EQ(list->revoked.size(), 1u) << "when the clock is right again it would be let in";
}

TEST_F(AuthorityTest, AListOfSomebodyElseIsNone) {
  const auto other = Issuer::make("Watchroom watchroom", clock.now());
  const auto list = other->revocation_list(1, clock.now(), clock.now() + 1h, {});
  EXPECT_FALSE(authority->issuer().end_of_revocation_list(*list));
  EXPECT_FALSE(authority->issuer().end_of_revocation_list("nonsense"));
}

TEST_F(AuthorityTest, SettingsThatHelpNobodyElsewhereAreHintedAt) {
  EXPECT_EQ(settings.hints().size(), 3u) << "no pid file, and loopback twice";
  settings.broker_pid_file = "/run/mosquitto.pid";
  settings.listen_address = "0.0.0.0";
  settings.names = {"centre.example", "localhost"};
  EXPECT_TRUE(settings.hints().empty());
}

TEST_F(AuthorityTest, OnlyWhatTheOneInUseReplacedIsRevoked) {
  const CertificatePlan plan{"watchroom", CertificatePlan::Use::client, {}, clock.now(), clock.now() + 24h};
  const auto other = authority->issue(plan, "host");
  const auto first = authority->issue(plan, "host");
  const auto second = authority->issue(plan, "host", x509::serial_of(*first->certificate));
  const auto third = authority->issue(plan, "host", x509::serial_of(*second->certificate));
  ASSERT_TRUE(authority->revoke_replaced_by(x509::der_of(*third->certificate)));
  ASSERT_TRUE(authority->revoke_replaced_by(x509::der_of(*third->certificate))) << "again changes nothing";
  const auto left = authority->unrevoked("", "watchroom");
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 2u);
  EXPECT_EQ(left->at(0).serial, x509::serial_of(*other->certificate));
  EXPECT_EQ(left->at(1).serial, x509::serial_of(*third->certificate));
  EXPECT_EQ(authority->make_list()->revoked.size(), 2u);
}

TEST_F(AuthorityTest, NamesThatNoCertificateCanHoldAreRefused) {
  EXPECT_EQ(authority->invite("hq", "room.1", 1h, {}).error().code, Errc::invalid);
  EXPECT_EQ(authority->invite("", "room1", 1h, {}).error().code, Errc::invalid);
  EXPECT_EQ(authority->invite(std::string(40, 'a'), std::string(40, 'b'), 1h, {}).error().code,
            Errc::invalid);
}

}  // namespace
}  // namespace watchroom::aggregator
