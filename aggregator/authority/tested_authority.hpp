// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "aggregator/authority/authority.hpp"
#include "proto/link/enrolment_token.hpp"

/// For tests: an authority in a folder of its own, and openssl's commands as the foreign end.
namespace watchroom::aggregator {

class NotedTrail final : public AuditTrail {
 public:
  void record(AuditEvent event) override {
    const std::lock_guard lock{mutex_};
    events_.push_back(std::move(event));
  }
  /// The newest of this action.
  AuditEvent last(const std::string& action) const {
    const std::lock_guard lock{mutex_};
    for (auto at = events_.rbegin(); at != events_.rend(); ++at)
      if (at->action == action) return *at;
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<AuditEvent> events_;
};

class TestedAuthority : public ::testing::Test {
 protected:
  TestedAuthority() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-authority-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    settings.names = {"localhost", "127.0.0.1"};
    settings.listen_port = 0;
    settings.certificate_life = std::chrono::hours{24 * 365};
    settings.late_renewal = std::chrono::hours{24 * 90};
    settings.broker_folder = folder / "broker";
    open();
  }
  ~TestedAuthority() override { std::filesystem::remove_all(folder); }

  void open() {
    authority.reset();
    auto opened = Authority::open(folder / "authority", "watchroom", settings, clock, trail, Log::quiet());
    ASSERT_TRUE(opened) << opened.error().text;
    authority = *std::move(opened);
  }

  struct Ended {
    int code = -1;
    std::string out;
  };
  /// A shell's command in the folder; both outputs.
  Ended run(const std::string& command) const {
    Ended ended;
    std::FILE* pipe = ::popen(("cd " + folder.string() + " && " + command + " 2>&1").c_str(), "r");
    std::array<char, 4096> piece;
    for (std::size_t count = 0; (count = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
      ended.out.append(piece.data(), count);
    const int status = ::pclose(pipe);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
  }

  std::string read(const std::string& name) const {
    std::ifstream in{folder / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void write(const std::string& name, std::string_view text) const { std::ofstream{folder / name} << text; }

  /// A key and a request in DER, as any openssl makes them: NAME.key, NAME.csr.
  std::string request(const std::string& common_name, const std::string& name = "agent",
                      const std::string& key = "ec -pkeyopt ec_paramgen_curve:P-256") const {
    const Ended made = run("openssl req -new -newkey " + key + " -nodes -subj /CN=" + common_name +
                           " -keyout " + name + ".key -outform DER -out " + name + ".csr");
    EXPECT_EQ(made.code, 0) << made.out;
    return read(name + ".csr");
  }
  std::string invite(const std::string& site = "hq", const std::string& agent = "room1") const {
    const auto invitation = authority->invite(site, agent, std::chrono::hours{24}, {"admin", "10.0.0.9"});
    EXPECT_TRUE(invitation);
    return invitation ? invitation->token : "";
  }
  /// hq/room1 with a certificate, in DER.
  std::string enrolled() const {
    const auto certificate = authority->enrol(invite(), request("hq.room1"), "10.0.0.1");
    EXPECT_TRUE(certificate) << certificate.error().text;
    return certificate ? *certificate : "";
  }
  std::string state_of(const std::string& agent) const {
    const auto all = authority->identities();
    for (const AgentIdentity& one : *all)
      if (one.agent == agent) return one.state;
    return "";
  }

  std::filesystem::path folder;
  FakeClock clock{SystemClock{}.now()};  // openssl's commands know the real time only
  EnrolmentSettings settings;
  NotedTrail trail;
  std::unique_ptr<Authority> authority;
};

}  // namespace watchroom::aggregator
