// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/configurations/configuration_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/web/fake_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigurationDeskTest : public testing::Test {
 protected:
  ConfigurationDeskTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-conf-XXXXXX").string();
    EXPECT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
    open();
    AgentView agent;
    agent.site = "hq";
    agent.agent = "room1";
    agent.state = "online";
    room_.put(agent);
  }
  ~ConfigurationDeskTest() override {
    desk_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// As a restart of the centre does.
  void open() {
    desk_.reset();
    auto book = ConfigurationBook::open(folder_);
    ASSERT_TRUE(book) << book.error().text;
    const auto send = [this](const KeptConfiguration& kept) -> Result<void> {
      if (!broken_.empty()) return fail(Errc::not_connected, Retry::later, "{}", broken_);
      sent_.push_back(kept.number);
      return {};
    };
    desk_.emplace(*std::move(book), room_, send, clock_, Log::quiet());
  }
  /// What the agent says of itself.
  void tells(std::uint64_t given, std::uint64_t running, std::int64_t state, const std::string& event = "") {
    room_.put(FakeRoom::point("self", "configuration.given", static_cast<std::int64_t>(given)));
    room_.put(FakeRoom::point("self", "configuration.number", static_cast<std::int64_t>(running)));
    room_.put(FakeRoom::point("self", "configuration.state", state));
    if (!event.empty()) room_.put(FakeRoom::point("self", "event.text", event));
  }
  std::uint64_t give(const std::string& text = "# sensors\n") {
    const auto given = desk_->give("hq", "room1", text, "li", "new sensors");
    EXPECT_TRUE(given) << given.error().text;
    return given ? given->kept.number : 0;
  }
  ConfigurationProgress progress() { return desk_->latest("hq", "room1")->progress; }

  std::filesystem::path folder_;
  FakeClock clock_;
  FakeRoom room_;
  std::vector<std::uint64_t> sent_;
  std::string broken_;
  std::optional<ConfigurationDesk> desk_;
};

TEST_F(ConfigurationDeskTest, OneThatIsGivenIsSentAtOnceAndFollowedToItsEnd) {
  tells(0, 0, 0);
  const std::uint64_t number = give();
  EXPECT_THAT(sent_, ElementsAre(number));
  EXPECT_EQ(progress(), ConfigurationProgress::sent);
  tells(number, number, 2);
  EXPECT_EQ(progress(), ConfigurationProgress::on_trial);
  tells(number, number, 1);
  EXPECT_EQ(progress(), ConfigurationProgress::in_force);
  clock_.advance(1h);
  desk_->look();
  EXPECT_THAT(sent_, ElementsAre(number));
}

TEST_F(ConfigurationDeskTest, WhatWasNotHeardIsSentAgainEverMoreSeldom) {
  tells(0, 0, 0);
  const std::uint64_t number = give();
  for (int seconds = 0; seconds < 69; ++seconds) {
    clock_.advance(1s);
    desk_->look();
  }
  EXPECT_THAT(sent_, ElementsAre(number, number, number));  // after 10 s and 20 s more; the next after 40 s
}

TEST_F(ConfigurationDeskTest, AnAgentThatWasAwayGetsItWhenItIsBackOverARestartOfTheCentre) {
  const std::uint64_t number = give();
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_EQ(progress(), ConfigurationProgress::waiting);
  open();
  tells(0, 0, 0);
  desk_->look();
  EXPECT_THAT(sent_, ElementsAre(number));
}

TEST_F(ConfigurationDeskTest, WhyItIsRefusedIsShown) {
  tells(0, 0, 0);
  const std::uint64_t number = give();
  tells(number, 0, 3, "device[0].profile: \"x\" is not known");
  const auto view = desk_->latest("hq", "room1");
  EXPECT_EQ(view->progress, ConfigurationProgress::refused);
  EXPECT_EQ(view->running, 0u);
  EXPECT_THAT(view->reasons, HasSubstr("is not known"));
  tells(number, 0, 4);
  EXPECT_EQ(progress(), ConfigurationProgress::fallen_back);
}

TEST_F(ConfigurationDeskTest, WhatCannotBeSentSaysWhy) {
  tells(0, 0, 0);
  broken_ = "there is no signing key";
  give();
  EXPECT_EQ(desk_->latest("hq", "room1")->trouble, "there is no signing key");
  EXPECT_EQ(progress(), ConfigurationProgress::waiting);
  broken_.clear();
  clock_.advance(10s);
  desk_->look();
  EXPECT_EQ(desk_->latest("hq", "room1")->trouble, "");
}

TEST_F(ConfigurationDeskTest, WhatEveryAgentWouldRefuseIsRefusedHere) {
  const auto refusal = [&](const std::string& text) {
    const auto given = desk_->give("hq", "room1", text, "li", "");
    return given ? "" : given.error().text;
  };
  EXPECT_THAT(refusal("[[device]\n"), HasSubstr("configuration:1"));
  EXPECT_THAT(refusal("\n[broker]\nhost = \"x\"\n"), HasSubstr("broker: stays in the agent's own file"));
  EXPECT_THAT(refusal(std::string((3u << 20) + 1, '#')), HasSubstr("too many"));
  EXPECT_EQ(desk_->give("hq", "nobody", "", "li", "").error().code, Errc::not_found);
  EXPECT_EQ(desk_->latest("hq", "room1").error().code, Errc::not_found);
}

TEST_F(ConfigurationDeskTest, NumbersGrowAlsoWhenTheClockDoesNot) {
  const std::uint64_t first = give("# 1\n"), second = give("# 2\n");
  EXPECT_GT(second, first);
  clock_.jump_wall(-24h);
  EXPECT_GT(give("# 3\n"), second);
  const auto history = desk_->history("hq", "room1", 2);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ(history->front().text, "# 3\n");
  EXPECT_EQ(history->front().by, "li");
  EXPECT_EQ(history->back().text, "# 2\n");
}

}  // namespace
}  // namespace watchroom::aggregator
