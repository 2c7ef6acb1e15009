// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/est_client.hpp"

#include <csignal>
#include <fstream>
#include <iterator>

#include <sys/wait.h>
#include <unistd.h>

#include "proto/link/test_certificates.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

/// A TLS server of openssl's own on a free port of loopback; its certificate is good for two days. What it
/// answers is no EST.
class Server {
 public:
  explicit Server(const TestCertificates& certificates) {
    certificates.make("server", "-addext subjectAltName=IP:127.0.0.1");
    const std::string certificate = certificates.file("server.pem"), key = certificates.file("server.key");
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate.c_str(),
               "-key", key.c_str(), "-rev", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(ends[1]);
    std::FILE* const told = ::fdopen(ends[0], "r");
    char line[256];
    const std::string before = "ACCEPT 127.0.0.1:";
    while (port_.empty() && std::fgets(line, sizeof line, told) != nullptr) {
      const std::string text = line;
      if (text.starts_with(before)) port_ = text.substr(before.size(), text.find('\n') - before.size());
    }
    told_ = told;
    EXPECT_FALSE(port_.empty());
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::fclose(told_);
  }
  const std::string& port() const { return port_; }

 private:
  pid_t pid_ = -1;
  std::FILE* told_ = nullptr;
  std::string port_;
};

class EstClientTest : public testing::Test {
 protected:
  EstClientTest() {
    std::ifstream in{certificates_.file("ca.pem")};
    ca_.assign(std::istreambuf_iterator<char>{in}, {});
  }
  ~EstClientTest() override { std::filesystem::remove_all(folder_); }

  static std::filesystem::path new_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-est-XXXXXX").string();
    EXPECT_TRUE(::mkdtemp(pattern.data()));
    return pattern;
  }
  /// What is wrong with the centre; it never answers as one.
  Error attempt(CertificateTime time, const std::string& ca) const {
    const EstClient client{{"127.0.0.1", server_.port()}, [time] { return time; }};
    const auto done = client.enrol(ca, "token", "request");
    EXPECT_FALSE(done);
    return done ? Error{} : done.error();
  }

  const std::filesystem::path folder_ = new_folder();
  const TestCertificates certificates_{folder_};
  const Server server_{certificates_};
  const Timestamp now_ = SystemClock{}.now();
  std::string ca_;
};

TEST_F(EstClientTest, AClockThatWasNeverSetKeepsNobodyOut) {
  EXPECT_NE(attempt({from_ms(600'000), false}, ca_).code, Errc::not_authorized);
  EXPECT_NE(attempt({now_, true}, ca_).code, Errc::not_authorized);
}

TEST_F(EstClientTest, WhatHadRunOutByATimeThatHasSurelyBeenIsRefusedAndTheSentenceSaysWhat) {
  for (const bool is_sure : {true, false}) {
    const Error refused = attempt({now_ + 24h * 3, is_sure}, ca_);
    EXPECT_EQ(refused.code, Errc::not_authorized);
    EXPECT_NE(refused.text.find("the centre's certificate is refused: "), std::string::npos) << refused.text;
    EXPECT_NE(refused.text.find("certificate has expired"), std::string::npos) << refused.text;
  }
}

TEST_F(EstClientTest, ByAClockThatIsSureACertificateOfTomorrowIsRefused) {
  EXPECT_NE(attempt({now_ - 24h, true}, ca_).text.find("not yet valid"), std::string::npos);
}

TEST_F(EstClientTest, AnotherAuthorityIsRefusedWhateverTheTime) {
  const auto elsewhere = new_folder();
  const TestCertificates others{elsewhere};
  std::ifstream in{others.file("ca.pem")};
  const std::string ca{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_EQ(attempt({from_ms(600'000), false}, ca).code, Errc::not_authorized);
  std::filesystem::remove_all(elsewhere);
}

}  // namespace
}  // namespace watchroom::agent
