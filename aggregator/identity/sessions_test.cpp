// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/sessions.hpp"

#include <gtest/gtest.h>

#include "aggregator/identity/secret.hpp"
#include "proto/base/replace_file.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view any_hash =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

class SessionsTest : public ::testing::Test {
 protected:
  SessionsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-sessions-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    EXPECT_TRUE(replace_file(folder_ / "users.toml", UsersFile{{{"li", Role::viewer, std::string{any_hash}},
                                                                {"wu", Role::viewer, std::string{any_hash}}},
                                                               {}}
                                                         .to_toml()));
    users.emplace(folder_ / "users.toml", Log::quiet());
    Problems problems;
    users->load(problems);
    EXPECT_TRUE(problems.empty()) << problems.str();
    sessions.emplace(Sessions::Limits{.length = 12h, .idle = 1h, .per_user = 2}, *users, clock);
  }
  ~SessionsTest() override { std::filesystem::remove_all(folder_); }

  std::string open(std::string_view name) { return sha256_hex(sessions->open(*users->named(name)).id); }

  std::filesystem::path folder_;
  FakeClock clock;
  std::optional<Users> users;
  std::optional<Sessions> sessions;
};

TEST_F(SessionsTest, UseKeepsASessionAliveUntilItsEnd) {
  const std::string id = open("li");
  for (int i = 0; i < 14; ++i) {
    clock.advance(50min);
    EXPECT_TRUE(sessions->use(id)) << i;
  }
  clock.advance(20min);
  EXPECT_FALSE(sessions->use(id));
  EXPECT_EQ(sessions->size(), 0u);
}

TEST_F(SessionsTest, TooManyOfOneUserEndTheOneUnusedLongest) {
  const std::string first = open("li");
  clock.advance(1min);
  const std::string second = open("li");
  const std::string other = open("wu");
  clock.advance(1min);
  EXPECT_TRUE(sessions->use(first));
  const std::string third = open("li");
  EXPECT_TRUE(sessions->use(first));
  EXPECT_FALSE(sessions->use(second));
  EXPECT_TRUE(sessions->use(third));
  EXPECT_TRUE(sessions->use(other));
}

TEST_F(SessionsTest, WhatIsOverIsSweptOut) {
  for (int i = 0; i < 2; ++i) open("li");
  clock.advance(2h);
  open("wu");
  EXPECT_EQ(sessions->size(), 1u);
}

}  // namespace
}  // namespace watchroom::aggregator
