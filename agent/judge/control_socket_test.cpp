// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/control_socket.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "agent/commands/scratch_folder.hpp"
#include "agent/judge/judge_commands.hpp"
#include "agent/judge/tested_judge.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

TEST(OutputsLock, OneHolderAFolderWhateverPathLeadsToIt) {
  const ScratchFolder folder, other;
  const auto link = other.path() / "link";
  std::filesystem::create_directory_symlink(folder.path(), link);
  OutputsLock elsewhere;
  ASSERT_TRUE(elsewhere.take(other.path()));
  {
    OutputsLock first, second;
    ASSERT_TRUE(first.take(folder.path()));
    EXPECT_EQ(second.take(link).error().code, Errc::conflict);
  }
  OutputsLock third;
  EXPECT_TRUE(third.take(link)) << "it is gone with its holder";
}

TEST(ControlSocket, AnswersWhoAsksTheFolderAndNobodyElseIsThere) {
  const ScratchFolder folder;
  EXPECT_EQ(ask_running_agent(folder.path(), "hello").error().code, Errc::not_connected);
  OutputsLock lock;
  ASSERT_TRUE(lock.take(folder.path()));
  EXPECT_EQ(ask_running_agent(folder.path(), "hello").error().code, Errc::not_connected)
      << "held by a guardian, which does not listen";
  const ControlSocket socket{lock, [](const std::string& request) { return request + " yourself"; },
                             Log::quiet()};
  EXPECT_EQ(*ask_running_agent(folder.path(), "hello"), "hello yourself");
  EXPECT_EQ(*ask_running_agent(folder.path(), "again"), "again yourself");
}

/// The judge with its threads, on the real clock.
class JudgeCommands : public testing::Test {
 protected:
  JudgeCommands() {
    judge.configure(TestedJudge::read(std::string{TestedJudge::relays}), TestedJudge::devices());
  }
  ~JudgeCommands() override { judge.stop(); }

  json ask(const json& request) { return json::parse(answer_command(judge, request.dump())); }

  SystemClock clock;
  ScratchFolder folder;
  LocalJudge judge{
      folder.path(),
      clock,
      Log::quiet(),
      {[](const PointWrite& write) {
         write.done(WriteOutcome{"", TestedJudge::value(std::get<std::int64_t>(write.value)), true});
       },
       [](Timestamp, const std::string&) {}, [] {}, [] {}}};
};

TEST_F(JudgeCommands, AnInhibitHasAnOwnerAnEndAndIsKeptOnDisk) {
  EXPECT_EQ(ask({{"command", "inhibit"}, {"owner", "li"}, {"reason", "work"}, {"lasting_ms", 60'000}}),
            (json{{"done", "inhibited"}}));
  EXPECT_TRUE(judge.figures().inhibit.is_inhibited);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "judge.json"));
  EXPECT_EQ(ask({{"command", "end_inhibit"}, {"owner", "li"}}), (json{{"done", "ended"}}));
  EXPECT_TRUE(ask({{"command", "end_inhibit"}, {"owner", "li"}}).contains("error"));
}

TEST_F(JudgeCommands, WhatIsNotUnderstoodOrTooLongIsRefused) {
  const json day{{"command", "inhibit"}, {"owner", "li"}, {"reason", "work"}, {"lasting_ms", 86'400'001}};
  EXPECT_THAT(ask(day)["error"].get<std::string>(), HasSubstr("24 hours"));
  EXPECT_TRUE(ask({{"command", "inhibit"}, {"owner", ""}}).contains("error"));
  EXPECT_TRUE(ask({{"command", "dance"}, {"owner", "li"}}).contains("error"));
  EXPECT_TRUE(json::parse(answer_command(judge, "{{{")).contains("error"));
  EXPECT_TRUE(json::parse(answer_command(judge, "[1]")).contains("error"));
  EXPECT_FALSE(judge.figures().inhibit.is_inhibited);
}

TEST_F(JudgeCommands, AnInhibitThatCannotBeKeptHoldsAndSaysSo) {
  std::filesystem::remove_all(folder.path());
  const json reply =
      ask({{"command", "inhibit"}, {"owner", "li"}, {"reason", "work"}, {"lasting_ms", 60'000}});
  EXPECT_THAT(reply.value("warning", ""), HasSubstr("will not survive a restart"));
  EXPECT_TRUE(judge.figures().inhibit.is_inhibited);
}

}  // namespace
}  // namespace watchroom::agent
