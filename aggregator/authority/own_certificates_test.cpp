// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/own_certificates.hpp"

#include <csignal>
#include <random>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aggregator/authority/broker_files.hpp"
#include "aggregator/authority/tested_authority.hpp"
#include "aggregator/identity/secret.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp day(int number) { return Timestamp{24h * number}; }

TEST(RenewalNeed, ComesAtTwoThirdsOfTheLife) {
  EXPECT_EQ(renewal_need(day(0), day(90), day(3650), day(59)), RenewalNeed::none);
  EXPECT_EQ(renewal_need(day(0), day(90), day(3650), day(60)), RenewalNeed::now);
  EXPECT_EQ(renewal_need(day(0), day(90), day(3650), day(200)), RenewalNeed::now)
      << "also when it has run out";
}

TEST(RenewalNeed, IsFutileWhenTheAuthorityEndsBeforeIt) {
  EXPECT_EQ(renewal_need(day(0), day(90), day(91), day(60)), RenewalNeed::now) << "a day is a day";
  EXPECT_EQ(renewal_need(day(0), day(90), day(90), day(60)), RenewalNeed::futile);
  EXPECT_EQ(renewal_need(day(0), day(90), day(90), day(59)), RenewalNeed::none);
}

TEST(RenewalNeed, IsThereAtOnceForOneThatAWrongClockHasMade) {
  EXPECT_EQ(renewal_need(day(700), day(790), day(3650), day(1)), RenewalNeed::now);
  EXPECT_EQ(renewal_need(day(700), day(4000), day(3650), day(1)), RenewalNeed::now);
}

/// The real mosquitto with the authority's files, which reads its own certificate from broker.pem.
class OwnCertificatesTest : public TestedAuthority {
 protected:
  OwnCertificatesTest() {
    std::signal(SIGPIPE, SIG_IGN);
    settings.broker_identity = KeyPairFiles{folder / "broker.pem", folder / "broker.key"};
    settings.broker_pid_file = folder / "pid";
    open();
    broker.host = "127.0.0.1";
    broker.port = free_port();
    broker.ca_file = folder / "authority" / "ca.pem";
    broker.certificate_file = folder / "host.pem";
    broker.key_file = folder / "host.key";
    issue("host", CertificatePlan::Use::client, clock.now() - 24h, clock.now() + 24h * 89);
    issue("broker", CertificatePlan::Use::server, clock.now() - 24h, clock.now() + 24h * 89);
  }
  ~OwnCertificatesTest() override { stop_broker(); }

  void issue(const std::string& name, CertificatePlan::Use use, Timestamp since, Timestamp until) {
    CertificatePlan plan{name == "host" ? "watchroom" : "127.0.0.1", use, {}, since, until};
    if (use == CertificatePlan::Use::server) plan.names = {"localhost", "127.0.0.1"};
    const auto made = authority->issue(plan, name == "host" ? "host" : "server");
    ASSERT_TRUE(made) << made.error().text;
    ASSERT_TRUE(replace_key_pair({folder / (name + ".pem"), folder / (name + ".key")}, made->certificate_pem,
                                 made->key_pem));
  }
  /// One in whose last third we are.
  void age(const std::string& name) {
    issue(name, name == "host" ? CertificatePlan::Use::client : CertificatePlan::Use::server,
          clock.now() - 24h * 80, clock.now() + 24h * 10);
  }

  void start_broker() {
    const auto ca = (folder / "authority" / "ca.pem").string();
    write(
        "mosquitto.conf",
        fmt::format("{}listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n"
                    "use_identity_as_username true\nallow_anonymous false\nlog_dest none\n",
                    ::geteuid() == 0 ? "user root\n" : "", broker.port, ca, (folder / "broker.pem").string(),
                    (folder / "broker.key").string()));
    const std::string file = (folder / "mosquitto.conf").string();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execl("/usr/sbin/mosquitto", "mosquitto", "-c", file.c_str(), nullptr);
      ::_exit(127);
    }
    write("pid", std::to_string(pid_));
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!served_certificate(broker, clock)) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "mosquitto does not answer";
      std::this_thread::sleep_for(10ms);
    }
  }
  void stop_broker() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  OwnCertificates own() {
    return {
        {"watchroom", broker, [this] { ++host_renewals; },
         [this]() -> Result<void> {
           ++server_renewals;
           return is_broker_told ? BrokerFiles{folder, settings.broker_pid_file}.reload() : Result<void>{};
         }},
        *authority,
        clock,
        trail,
        Log::quiet()};
  }
  KeyPair pair(const std::string& name) const {
    const auto found = load_key_pair({folder / (name + ".pem"), folder / (name + ".key")});
    EXPECT_TRUE(found) << name;
    return found.value_or(KeyPair{});
  }
  std::string sha256_of(const std::string& name) const {
    const auto certificate = x509::certificate_of_pem(pair(name).certificate_pem);
    return to_hex(x509::sha256_of(x509::der_of(*certificate)));
  }

  BrokerSettings broker;
  int host_renewals = 0, server_renewals = 0;
  bool is_broker_told = true;

 private:
  /// Below the ephemeral range.
  static int free_port() {
    std::random_device chance;
    std::uniform_int_distribution<int> ports{20'000, 31'999};
    while (true) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const int port = ports(chance);
      address.sin_port = htons(static_cast<std::uint16_t>(port));
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const bool is_free = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      ::close(socket);
      if (is_free) return port;
    }
  }
  pid_t pid_ = -1;
};

TEST_F(OwnCertificatesTest, WhatIsYoungStaysAsItIs) {
  start_broker();
  const auto host = pair("host"), server = pair("broker");
  OwnCertificates own = this->own();
  EXPECT_TRUE(own.look().empty());
  EXPECT_EQ(pair("host").certificate_pem, host.certificate_pem);
  EXPECT_EQ(pair("broker").certificate_pem, server.certificate_pem);
}

TEST_F(OwnCertificatesTest, TheHostsIsRenewedWithANewKeyForAsLongAsBefore) {
  age("host");
  const auto before = pair("host");
  OwnCertificates own = this->own();
  EXPECT_TRUE(own.look().empty());
  const auto after = pair("host");
  EXPECT_NE(after.key_pem, before.key_pem);
  EXPECT_EQ(after.until - after.since, before.until - before.since);
  EXPECT_GT(after.until, clock.now() + 24h * 80);
  EXPECT_EQ(host_renewals, 1);
  struct stat status {};
  ASSERT_EQ(::stat(broker.key_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(trail.last("certificate.renew").object, "host");
  ASSERT_TRUE(authority->audit_unseen());
  EXPECT_EQ(trail.last("certificate.issue")
                .detail.find(x509::serial_of(*x509::certificate_of_pem(after.certificate_pem))),
            std::string::npos)
      << "the audit log has it once";
  const auto verified =
      run("openssl verify -purpose sslclient -CAfile authority/ca.pem host.pem && openssl x509 "
          "-in host.pem -noout -subject");
  EXPECT_EQ(verified.code, 0) << verified.out;
  EXPECT_NE(verified.out.find("CN = watchroom"), std::string::npos) << verified.out;
  EXPECT_TRUE(authority->make_list()->revoked.empty()) << "the old one may still be in use";
  EXPECT_TRUE(own.look().empty());
  EXPECT_EQ(host_renewals, 1) << "once is enough";
  const auto list = authority->make_list();
  ASSERT_EQ(list->revoked.size(), 1u);
  const auto old = x509::certificate_of_pem(before.certificate_pem);
  EXPECT_EQ(list->revoked.at(0).serial, x509::serial_of(*old));
  EXPECT_NE(list->revoked.at(0).reason.find("superseded"), std::string::npos);
}

TEST_F(OwnCertificatesTest, TheBrokersIsRenewedAndMosquittoShowsItAfterSighup) {
  age("broker");
  ASSERT_EQ(::chmod((folder / "broker.key").c_str(), 0640), 0);
  start_broker();
  const std::string old = sha256_of("broker");
  ASSERT_EQ(served_certificate(broker, clock)->sha256, old);
  OwnCertificates own = this->own();
  EXPECT_TRUE(own.look().empty());
  const std::string fresh = sha256_of("broker");
  ASSERT_NE(fresh, old);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (served_certificate(broker, clock)->sha256 != fresh) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "mosquitto goes on showing the old one";
    std::this_thread::sleep_for(20ms);
  }
  clock.advance(2min);
  EXPECT_TRUE(own.look().empty());
  const auto named = run("openssl x509 -in broker.pem -noout -ext subjectAltName,extendedKeyUsage");
  EXPECT_NE(named.out.find("DNS:localhost, IP Address:127.0.0.1"), std::string::npos) << named.out;
  EXPECT_NE(named.out.find("TLS Web Server"), std::string::npos) << named.out;
  struct stat status {};
  ASSERT_EQ(::stat((folder / "broker.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u) << "the broker's group may read it as before";
}

TEST_F(OwnCertificatesTest, ABrokerThatIsNotToldGoesOnWithTheOldOneAndItsDaysAreCounted) {
  is_broker_told = false;
  age("broker");
  const Timestamp old_end = pair("broker").until;
  start_broker();
  OwnCertificates own = this->own();
  EXPECT_TRUE(own.look().empty()) << "it has been told just now";
  clock.advance(2min);
  const auto endangered = own.look();
  ASSERT_EQ(endangered.size(), 1u);
  EXPECT_EQ(server_renewals, 1);
  EXPECT_EQ(endangered.at(0).until, old_end);
  EXPECT_NE(endangered.at(0).why_en.find("restart the broker"), std::string::npos) << endangered.at(0).why_en;
  stop_broker();
  start_broker();
  clock.advance(2min);
  EXPECT_TRUE(own.look().empty());
}

TEST_F(OwnCertificatesTest, ABrokersCertificateThatNobodyRenewsIsCountedByWhatItShows) {
  settings.broker_identity.reset();
  open();
  start_broker();
  OwnCertificates own = this->own();
  const auto endangered = own.look();
  ASSERT_EQ(endangered.size(), 1u);
  EXPECT_EQ(endangered.at(0).until, pair("broker").until);
  EXPECT_NE(endangered.at(0).why_en.find("broker_certificate_file"), std::string::npos);
}

TEST_F(OwnCertificatesTest, WhatCannotBeWrittenIsToldOnceAndTriedAgain) {
  age("host");
  const auto before = pair("host");
  ASSERT_TRUE(std::filesystem::create_directory(folder / "host.key.next"));
  write("host.key.next/in_the_way", "");
  OwnCertificates own = this->own();
  auto endangered = own.look();
  ASSERT_EQ(endangered.size(), 1u);
  EXPECT_EQ(endangered.at(0).until, before.until);
  EXPECT_NE(endangered.at(0).why_en.find("host.key.next"), std::string::npos) << endangered.at(0).why_en;
  EXPECT_EQ(trail.last("certificate.renew").outcome, Outcome::failed);
  EXPECT_EQ(pair("host").certificate_pem, before.certificate_pem) << "the old pair is whole";
  std::filesystem::remove_all(folder / "host.key.next");
  EXPECT_EQ(own.look().size(), 1u) << "not at once";
  clock.advance(1h);
  EXPECT_TRUE(own.look().empty());
  EXPECT_NE(pair("host").certificate_pem, before.certificate_pem);
}

TEST_F(OwnCertificatesTest, ACertificateOfAnotherAuthorityIsLeftAlone) {
  const auto issuer = Issuer::make("another", clock.now());
  CertificatePlan plan{
      "watchroom", CertificatePlan::Use::client, {}, clock.now() - 24h * 80, clock.now() + 24h * 10};
  const auto made = issuer->issue(plan);
  ASSERT_TRUE(
      replace_key_pair({broker.certificate_file, broker.key_file}, made->certificate_pem, made->key_pem));
  OwnCertificates own = this->own();
  const auto endangered = own.look();
  ASSERT_EQ(endangered.size(), 1u);
  EXPECT_NE(endangered.at(0).why_en.find("by hand"), std::string::npos);
  EXPECT_EQ(pair("host").certificate_pem, made->certificate_pem);
}

TEST_F(OwnCertificatesTest, AnInterruptedReplacementIsEndedBeforeTheSettingsAreJudged) {
  const auto next = pair("broker");  // any other pair
  write("host.key.next", next.key_pem + next.certificate_pem);
  write("host.key", next.key_pem);
  write(
      "aggregator.toml",
      "[broker]\nhost = \"x\"\nca_file = \"a\"\ncertificate_file = \"host.pem\"\nkey_file = \"host.key\"\n");
  ASSERT_TRUE(finish_host_replacement(folder / "aggregator.toml"));
  EXPECT_EQ(pair("host").certificate_pem, next.certificate_pem);
  EXPECT_TRUE(finish_host_replacement(folder / "nothing.toml")) << "what is wrong with it is told later";
}

}  // namespace
}  // namespace watchroom::aggregator
