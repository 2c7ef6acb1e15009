// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/est.hpp"

#include "aggregator/authority/est_listener.hpp"
#include "aggregator/authority/tested_authority.hpp"
#include "proto/base/base64.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

/// The server's answers without its sockets.
class EstTest : public TestedAuthority {
 protected:
  EstRequest enrolment(const std::string& token) const {
    std::string proof = to_base64("room1:" + token);
    std::erase(proof, '\n');
    return {"POST",
            "/.well-known/est/simpleenroll",
            "application/pkcs10",
            "Basic " + proof,
            to_base64(request("hq.room1")),
            "10.0.0.1",
            ""};
  }
  RefusalTally refusals{clock};
  Est est{*authority, refusals, clock};
};

TEST_F(EstTest, EveryRefusalHasAStatusAndASentence) {
  struct Case {
    int status;
    std::string sentence;
    std::function<void(EstRequest&)> spoil;
  };
  const std::string token = invite();
  const Case cases[] = {
      {404, "agents enrol here", [](EstRequest& r) { r.target = "/"; }},
      {404, "cacerts", [](EstRequest& r) { r.target += "/more"; }},
      {405, "POST", [](EstRequest& r) { r.method = "GET"; }},
      {415, "pkcs10", [](EstRequest& r) { r.content_type = "text/html"; }},
      {401, "token", [](EstRequest& r) { r.authorization = ""; }},
      {401, "token", [](EstRequest& r) { r.authorization = "Basic !!!"; }},
      {401, "token", [](EstRequest& r) { r.authorization = "Bearer x"; }},
      {400, "base64", [](EstRequest& r) { r.body = "{}"; }},
      {400, "PKCS#10", [](EstRequest& r) { r.body = to_base64("no request"); }},
      {403, "certificate", [](EstRequest& r) { r.target = "/.well-known/est/simplereenroll"; }},
  };
  for (const Case& one : cases) {
    Est fresh{*authority, refusals, clock};
    EstRequest request = enrolment(token);
    one.spoil(request);
    const EstAnswer answer = fresh.answer(request);
    EXPECT_EQ(answer.status, one.status) << answer.body;
    EXPECT_NE(answer.body.find(one.sentence), std::string::npos) << answer.body;
  }
  EXPECT_EQ(est.answer(enrolment(token)).status, 200);
  EXPECT_EQ(est.answer(enrolment(token)).status, 403);
}

TEST_F(EstTest, GuessingIsSlowedDownByAddress) {
  EstRequest guess = enrolment(invite("hq", "other"));
  EnrolmentToken token = *EnrolmentToken::parse(invite());
  token.secret = std::string(32, 'x');
  std::string proof = to_base64("x:" + token.str());
  std::erase(proof, '\n');
  guess.authorization = "Basic " + proof;
  int refused = 0;
  while (est.answer(guess).status == 401) ++refused;
  EXPECT_LE(refused, 10);
  EXPECT_EQ(est.answer(guess).status, 429);
  EstRequest honest = enrolment(invite());
  honest.address = "10.0.0.2";
  EXPECT_EQ(est.answer(honest).status, 200) << "others are let in";
  clock.advance(20min);
  honest = enrolment(invite());
  EXPECT_EQ(est.answer(honest).status, 200) << "and it passes";
}

TEST_F(EstTest, AClientThatWaitsForTheChallengeIsNotLockedOut) {
  EstRequest patient = enrolment(invite());
  patient.authorization.clear();
  for (int i = 0; i < 40; ++i) ASSERT_EQ(est.answer(patient).status, 401) << i;
  EXPECT_EQ(est.answer(enrolment(invite())).status, 200);
}

TEST_F(EstTest, StrangersDoNotHoldUpARenewalFromTheSameAddress) {
  EstRequest renewal = enrolment("");
  renewal.target = "/.well-known/est/simplereenroll";
  renewal.certificate_der = enrolled();
  EstRequest guess = enrolment("guess");
  while (est.answer(guess).status == 401) {
  }
  ASSERT_EQ(est.answer(guess).status, 429);
  EXPECT_EQ(est.answer(renewal).status, 200);
  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  EXPECT_EQ(est.answer(renewal).status, 429) << "a revoked one is a stranger's";
}

TEST_F(EstTest, AStolenCertificateDoesNotFillTheDiskWithRenewals) {
  EstRequest renewal = enrolment("");
  renewal.target = "/.well-known/est/simplereenroll";
  renewal.certificate_der = enrolled();
  const std::string wanted = *from_base64(renewal.body);
  int renewed = 0;
  EstAnswer answer;
  for (answer = est.answer(renewal); answer.status == 200 && renewed < 100; answer = est.answer(renewal)) {
    ++renewed;
    // The next one shown is a fresh one: the count is of the agent.
    renewal.certificate_der = *authority->renew(renewal.certificate_der, wanted, "10.0.0.1");
  }
  EXPECT_EQ(answer.status, 429) << answer.body;
  EXPECT_EQ(renewed, 20);
  EXPECT_NE(answer.body.find("hq/room1"), std::string::npos) << answer.body;
  clock.advance(24h);
  EXPECT_EQ(est.answer(renewal).status, 200) << "the real one is late, but not lost";
}

class RefusedEnrolments : public EstTest {
 protected:
  std::uint64_t count() { return refusals.lately().count; }
};

TEST_F(RefusedEnrolments, EachGuessIsCountedAlsoWhenTheThrottleHoldsItUp) {
  EnrolmentToken token = *EnrolmentToken::parse(invite());
  for (int i = 0; i < 21; ++i) {
    token.secret = std::string(32, static_cast<char>('a' + i));
    EXPECT_NE(est.answer(enrolment(token.str())).status, 200);
  }
  EXPECT_EQ(count(), 21u);
  EXPECT_EQ(refusals.lately().last_address, "10.0.0.1");
}

TEST_F(RefusedEnrolments, ARevokedAgentThatAsksAgainAndAgainIsOne) {
  EstRequest renewal = enrolment("");
  renewal.target = "/.well-known/est/simplereenroll";
  renewal.certificate_der = enrolled();
  EXPECT_EQ(est.answer(renewal).status, 200);
  EXPECT_EQ(count(), 0u);
  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  for (int i = 0; i < 30; ++i) EXPECT_NE(est.answer(renewal).status, 200);
  EXPECT_EQ(count(), 1u);
}

TEST_F(RefusedEnrolments, WhoWaitsForTheChallengeAndThenEnrolsIsNotCounted) {
  EstRequest honest = enrolment(invite());
  EstRequest asking = honest;
  asking.authorization.clear();
  EXPECT_EQ(est.answer(asking).status, 401);
  EXPECT_EQ(est.answer(honest).status, 200);
  EXPECT_EQ(count(), 0u);
}

/// The real server, and a client made of curl's and openssl's commands.
class EstServer : public TestedAuthority {
 protected:
  void SetUp() override {
    const auto started = listener.start();
    ASSERT_TRUE(started) << started.error().text;
  }
  std::string url(const std::string& what) const {
    return fmt::format("https://localhost:{}/.well-known/est/{}", listener.port(), what);
  }
  /// The status; the body is in NAME.
  std::string curl(const std::string& arguments, const std::string& name) const {
    return run("curl -sS --noproxy '*' -m 20 -w '%{http_code}' -o " + name + " " + arguments).out;
  }
  std::string post(const std::string& what, const std::string& arguments) const {
    return curl("--cacert authority/ca.pem -H 'Content-Type: application/pkcs10' --data-binary @agent.b64 " +
                    arguments + " " + url(what),
                "answer");
  }
  void make_request() {
    request("hq.room1");
    ASSERT_EQ(run("openssl base64 -in agent.csr -out agent.b64").code, 0);
  }
  void unpack(const std::string& to) {
    ASSERT_EQ(run("openssl base64 -d -in answer | openssl pkcs7 -inform DER -print_certs -out " + to).code, 0)
        << read("answer");
  }
  RefusalTally refusals{clock};
  EstListener listener{*authority, refusals, clock, Log::quiet()};
};

TEST_F(EstServer, AForeignClientEnrolsAndRenews) {
  ASSERT_EQ(curl("-k " + url("cacerts"), "answer"), "200");
  unpack("ca.pem");
  EXPECT_EQ(run("openssl x509 -in ca.pem").out, run("openssl x509 -in authority/ca.pem").out);

  make_request();
  ASSERT_EQ(post("simpleenroll", "-u room1:" + invite()), "200") << read("answer");
  unpack("agent.pem");
  EXPECT_EQ(run("openssl verify -CAfile ca.pem agent.pem").code, 0);
  run("cp agent.key first.key && cp agent.pem first.pem");

  make_request();
  ASSERT_EQ(post("simplereenroll", "--cert first.pem --key first.key"), "200") << read("answer");
  unpack("agent.pem");
  EXPECT_EQ(run("openssl verify -CAfile ca.pem agent.pem").code, 0);
  EXPECT_NE(read("agent.pem"), read("first.pem"));

  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  EXPECT_EQ(post("simplereenroll", "--cert first.pem --key first.key"), "403");
  EXPECT_NE(read("answer").find("revoked"), std::string::npos) << read("answer");
}

TEST_F(EstServer, ACertificateThatRanOutStillRenews) {
  make_request();
  ASSERT_EQ(post("simpleenroll", "-u room1:" + invite()), "200") << read("answer");
  unpack("first.pem");
  run("cp agent.key first.key");
  make_request();
  clock.advance(settings.certificate_life + 24h * 89);
  EXPECT_EQ(post("simplereenroll", "--cert first.pem --key first.key"), "200") << read("answer");
  clock.advance(24h * 2);
  EXPECT_EQ(post("simplereenroll", "--cert first.pem --key first.key"), "403");
}

TEST_F(EstServer, ACertificateThatRanOutAndIsRevokedDoesNotRenew) {
  make_request();
  ASSERT_EQ(post("simpleenroll", "-u room1:" + invite()), "200") << read("answer");
  unpack("first.pem");
  run("cp agent.key first.key");
  make_request();
  clock.advance(settings.certificate_life + 24h);
  ASSERT_TRUE(authority->revoke("hq", "room1", "stolen", {}));
  EXPECT_EQ(post("simplereenroll", "--cert first.pem --key first.key"), "403");
  EXPECT_NE(read("answer").find("revoked"), std::string::npos) << read("answer");
}

TEST_F(EstServer, AStrangersCertificateIsRefusedWithASentence) {
  make_request();
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=hq.room1 "
      "-keyout "
      "self.key -out self.pem");
  EXPECT_EQ(post("simplereenroll", "--cert self.pem --key self.key"), "403");
  EXPECT_NE(read("answer").find("not one of this authority"), std::string::npos) << read("answer");
  EXPECT_EQ(post("simplereenroll", ""), "403");
}

TEST_F(EstServer, TooMuchAndNonsenseAreRefused) {
  make_request();
  run("head -c 20000 /dev/zero | tr '\\0' A > agent.b64");
  EXPECT_EQ(post("simpleenroll", "-u x:" + invite()), "413");
  EXPECT_EQ(post("simpleenroll", "-H \"X: $(head -c 9000 /dev/zero | tr '\\0' A)\""), "431");
  EXPECT_EQ(curl("-k " + fmt::format("https://localhost:{}/", listener.port()), "answer"), "404");
}

/// Its silence must not keep others out, and it is not waited for.
TEST_F(EstServer, AClientThatSaysNothingHoldsNobodyUp) {
  EstListener::Limits limits;
  limits.handshake = 200ms;
  limits.connections = 2;
  EstListener hasty{*authority, refusals, clock, Log::quiet(), limits};
  ASSERT_TRUE(hasty.start());
  const auto ended = run(fmt::format(
      "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{0}; exec 4<>/dev/tcp/127.0.0.1/{0}; timeout 10 cat <&3; timeout "
      "10 cat "
      "<&4' && "
      "curl -sSk -m 10 -o /dev/null -w '%{{http_code}}' https://localhost:{0}/.well-known/est/cacerts",
      hasty.port()));
  EXPECT_EQ(ended.out, "200");
}

}  // namespace
}  // namespace watchroom::aggregator
