// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/outputs/output_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/web/fake_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

struct Trail final : AuditTrail {
  void record(AuditEvent event) override { events.push_back(std::move(event)); }
  std::vector<AuditEvent> events;
};

class OutputDeskTest : public testing::Test {
 protected:
  OutputDeskTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-out-XXXXXX").string();
    EXPECT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
    agent_is("online");
    tells(0);
    open();
  }
  ~OutputDeskTest() override {
    desk_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// As a restart of the centre does.
  void open() {
    desk_.reset();
    auto book = OutputBook::open(folder_);
    ASSERT_TRUE(book) << book.error().text;
    const auto send = [this](const KeptOrder& order) -> Result<void> {
      if (!broken_.empty()) return fail(Errc::not_connected, Retry::later, "{}", broken_);
      sent_.push_back(order);
      return {};
    };
    desk_.emplace(*std::move(book), room_, send, clock_, trail_, Log::quiet());
  }
  void agent_is(const char* state) {
    AgentView agent;
    agent.site = "hq";
    agent.agent = "room1";
    agent.state = state;
    room_.put(agent);
  }
  /// What the agent says of its siren.
  void tells(std::int64_t state, std::uint64_t order = 0, OutputProgress progress = OutputProgress::none,
             std::uint64_t refused = 0) {
    room_.put(FakeRoom::point("self", "local_output[siren].refused", static_cast<std::int64_t>(refused)));
    room_.put(FakeRoom::point("self", "local_output[siren].state", state));
    room_.put(FakeRoom::point("self", "local_output[siren].order", static_cast<std::int64_t>(order)));
    room_.put(FakeRoom::point("self", "local_output[siren].progress", static_cast<std::int64_t>(progress)));
  }
  void says(const std::string& event) {
    PointView point = FakeRoom::point("self", "event.text", event);
    point.taken_at = clock_.now();
    room_.put(point);
  }
  OutputWish on() const { return {OutputTarget::on, 600s, 10s, "fire drill"}; }
  std::string select(const std::string& by = "li") {
    const auto selection = desk_->select(siren_, on(), by);
    EXPECT_TRUE(selection) << selection.error().text;
    return selection ? selection->id : "";
  }
  std::uint64_t order() {
    const auto ordered = desk_->order(siren_, select(), "li");
    EXPECT_TRUE(ordered) << ordered.error().text;
    return ordered ? ordered->number : 0;
  }
  KeptOrder last() {
    desk_->look();
    return desk_->outputs()->at(0).order.value();
  }
  std::string refusal(const std::string& selection, const std::string& by = "li") {
    const auto ordered = desk_->order(siren_, selection, by);
    return ordered ? "" : ordered.error().text;
  }

  const OutputPlace siren_{"hq", "room1", "siren"};
  std::filesystem::path folder_;
  FakeClock clock_;
  FakeRoom room_;
  Trail trail_;
  std::vector<KeptOrder> sent_;
  std::string broken_;
  std::optional<OutputDesk> desk_;
};

TEST_F(OutputDeskTest, AnOrderIsSelectedConfirmedSentAndFollowedUntilItWasReadBack) {
  const auto selection = desk_->select(siren_, on(), "li");
  ASSERT_TRUE(selection);
  EXPECT_EQ(selection->output.state, "off");
  EXPECT_THAT(sent_, SizeIs(0)) << "to select sends nothing";
  const auto ordered = desk_->order(siren_, selection->id, "li");
  ASSERT_TRUE(ordered) << ordered.error().text;
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].wish.to, OutputTarget::on);
  EXPECT_EQ(last().progress, OrderProgress::sent);
  tells(0, ordered->number, OutputProgress::under_way);
  EXPECT_EQ(last().progress, OrderProgress::under_way);
  tells(1, ordered->number, OutputProgress::done);
  EXPECT_EQ(last().progress, OrderProgress::done);
  tells(0, ordered->number, OutputProgress::ended);
  EXPECT_EQ(last().progress, OrderProgress::ended);
  ASSERT_THAT(trail_.events, SizeIs(3)) << "under way, done, and over";
  EXPECT_EQ(trail_.events[0].object, "hq/room1/siren");
  EXPECT_THAT(desk_->history(siren_, 10).operator*(), SizeIs(1));
}

TEST_F(OutputDeskTest, ASelectionIsGoodOnceForWhoMadeItAndForAMinute) {
  const std::string mine = select();
  EXPECT_THAT(refusal(mine, "wang"), HasSubstr("somebody else's"));
  const std::string newer = select();
  EXPECT_THAT(refusal(mine), HasSubstr("select again")) << "a person has one selection of an output";
  EXPECT_EQ(refusal(newer), "");
  EXPECT_THAT(refusal(newer), HasSubstr("select again"));
  const std::string old = select();
  clock_.advance(61s);
  EXPECT_THAT(refusal(old), HasSubstr("select again"));
  EXPECT_THAT(refusal("0123"), HasSubstr("select again"));
  EXPECT_FALSE(desk_->order({"hq", "room1", "valve"}, select(), "li"));
  EXPECT_THAT(sent_, SizeIs(1));
}

TEST_F(OutputDeskTest, WhatIsNoLongerAsItWasShownIsNotOrdered) {
  const std::string selection = select();
  tells(5);
  EXPECT_THAT(refusal(selection), HasSubstr("no longer as it was shown (off)"));
  EXPECT_THAT(sent_, SizeIs(0));
}

TEST_F(OutputDeskTest, TwoPeopleDoNotOrderOppositeThingsUnseen) {
  const std::string lis = select("li"), wangs = select("wang");
  EXPECT_EQ(refusal(lis, "li"), "");
  EXPECT_THAT(refusal(wangs, "wang"), HasSubstr("somebody else has ordered it"));
  EXPECT_THAT(sent_, SizeIs(1));
}

TEST_F(OutputDeskTest, AnOutputWhoseAgentIsAwayCannotBeSelected) {
  agent_is("offline");
  const auto selection = desk_->select(siren_, on(), "li");
  ASSERT_FALSE(selection);
  EXPECT_EQ(selection.error().code, Errc::conflict);
  EXPECT_FALSE(desk_->outputs()->at(0).is_live);
  EXPECT_EQ(desk_->select({"hq", "room1", "valve"}, on(), "li").error().code, Errc::not_found);
}

TEST_F(OutputDeskTest, WhatCannotBeSentIsRefusedAndKept) {
  broken_ = "no broker";
  EXPECT_THAT(refusal(select()), HasSubstr("no broker"));
  EXPECT_EQ(last().progress, OrderProgress::refused);
  EXPECT_EQ(last().reason, "no broker");
}

TEST_F(OutputDeskTest, WhenNobodyAnswersItIsNotKnownWhetherItWasDone) {
  const std::uint64_t number = order();
  clock_.advance(14s);
  EXPECT_EQ(last().progress, OrderProgress::sent);
  clock_.advance(2s);
  EXPECT_EQ(last().progress, OrderProgress::no_answer);
  tells(1, number, OutputProgress::done);
  EXPECT_EQ(last().progress, OrderProgress::done) << "the agent was away, and tells it now";
}

TEST_F(OutputDeskTest, WhyTheAgentRefusesIsToldInWordsAboutThisOrderOnly) {
  const std::uint64_t number = order();
  says("configuration 5 has proved itself");
  tells(3, 0, OutputProgress::none, number);
  EXPECT_EQ(last().progress, OrderProgress::refused);
  EXPECT_EQ(last().reason, "");
  says(fmt::format("order {} of the centre is refused: siren is inhibited by key", number));
  EXPECT_THAT(last().reason, HasSubstr("inhibited by key"));
}

TEST_F(OutputDeskTest, OneThatCameTooLateIsRefusedNotUnknown) {
  const std::uint64_t number = order();
  says(
      fmt::format("order {} of the centre is refused: the order is 12 s old, and was good for 10 s", number));
  EXPECT_EQ(last().progress, OrderProgress::refused);
}

TEST_F(OutputDeskTest, OneThatIsRefusedEndsNotTheOneThatHolds) {
  const std::uint64_t first = order();
  tells(1, first, OutputProgress::done);
  last();
  clock_.advance(1s);
  const std::uint64_t second = order();
  EXPECT_EQ(desk_->history(siren_, 10)->at(1).progress, OrderProgress::done) << "the second may be refused";
  tells(1, first, OutputProgress::done, second);
  EXPECT_EQ(last().progress, OrderProgress::refused);
  const auto view = desk_->outputs()->at(0);
  ASSERT_TRUE(view.held);
  EXPECT_EQ(view.held->number, first);
  tells(0, first, OutputProgress::ended, second);
  last();
  EXPECT_FALSE(desk_->outputs()->at(0).held);
}

TEST_F(OutputDeskTest, ALaterOrderAndARestartOfTheAgentEndIt) {
  const std::uint64_t first = order();
  tells(1, first, OutputProgress::done);
  last();
  clock_.advance(1s);
  const std::uint64_t second = order();
  EXPECT_GT(second, first);
  tells(1, second, OutputProgress::done);
  EXPECT_EQ(last().progress, OrderProgress::done);
  const auto history = desk_->history(siren_, 10);
  EXPECT_EQ(history->at(1).progress, OrderProgress::ended);
  EXPECT_THAT(history->at(1).reason, HasSubstr("took its place"));
  tells(0);
  EXPECT_EQ(last().progress, OrderProgress::ended);
  EXPECT_THAT(last().reason, HasSubstr("started anew"));
}

TEST_F(OutputDeskTest, WhatEndsBeforeItWasDoneIsNoSuccess) {
  const std::uint64_t number = order();
  tells(0, number + 1, OutputProgress::done);
  EXPECT_EQ(last().progress, OrderProgress::ended);
  ASSERT_FALSE(trail_.events.empty());
  EXPECT_EQ(trail_.events.back().outcome, Outcome::failed);
}

TEST_F(OutputDeskTest, ARestartOfTheCentreGoesOnFollowing) {
  const std::uint64_t number = order();
  open();
  EXPECT_EQ(last().number, number);
  tells(1, number, OutputProgress::done);
  EXPECT_EQ(last().progress, OrderProgress::done);
  clock_.advance(1s);
  EXPECT_GT(order(), number);
}

TEST_F(OutputDeskTest, AnOrderWhoseTimeIsOverWhileTheAgentIsAwayHasEnded) {
  tells(1, order(), OutputProgress::done);
  last();
  agent_is("offline");
  clock_.advance(599s);
  EXPECT_EQ(last().progress, OrderProgress::done);
  clock_.advance(7s);
  EXPECT_EQ(last().progress, OrderProgress::ended);
}

}  // namespace
}  // namespace watchroom::aggregator
