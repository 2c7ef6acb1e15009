// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Every state of an order by everything that its agent may tell.
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregator/outputs/output_desk.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using enum OrderProgress;
using testing::HasSubstr;

constexpr std::uint64_t number = 7;
const Timestamp given_at{1'000'000s};

constexpr std::array all_states{sent, under_way, done, overruled, refused, failed, no_answer, ended};

KeptOrder order_in(OrderProgress progress) {
  KeptOrder order;
  order.place = {"hq", "room1", "siren"};
  order.number = number;
  order.wish = {OutputTarget::on, 600s, 10s, "drill"};
  order.by = "li";
  order.at = given_at;
  order.progress = progress;
  return order;
}

/// Told by an agent that is online.
ToldOfOutput of_order(std::uint64_t order, OutputProgress progress) {
  ToldOfOutput told;
  told.is_live = true;
  told.order = order;
  told.progress = progress;
  return told;
}
ToldOfOutput of_refusal(std::uint64_t order, std::uint64_t refused_one) {
  ToldOfOutput told = of_order(order, OutputProgress::none);
  told.refused = refused_one;
  return told;
}
ToldOfOutput away() { return {}; }

/// One message; what each state becomes by it, in the order of all_states.
struct Row {
  const char* what;
  ToldOfOutput told;
  std::chrono::seconds after;  // the order was given
  std::array<OrderProgress, all_states.size()> becomes;
};

std::vector<Row> rows() {
  const auto all = [](OrderProgress one) {
    std::array<OrderProgress, all_states.size()> same{};
    same.fill(one);
    return same;
  };
  const auto none = all_states;
  // Held by the agent (under way, done, overruled): what it no longer speaks of has ended.
  constexpr std::array held_end{sent, ended, ended, ended, refused, failed, no_answer, ended};
  return {
      {"the agent has it", of_order(number, OutputProgress::under_way), 1s, all(under_way)},
      {"it was read back", of_order(number, OutputProgress::done), 1s, all(done)},
      {"a reaction counts more", of_order(number, OutputProgress::overruled), 1s, all(overruled)},
      {"it was given up", of_order(number, OutputProgress::failed), 1s, all(failed)},
      {"its time is over", of_order(number, OutputProgress::ended), 1s, all(ended)},
      {"its number, and nothing of it", of_order(number, OutputProgress::none), 1s, none},
      {"it is refused", of_refusal(0, number), 1s, all(refused)},
      {"it is refused while an earlier one holds", of_refusal(number - 1, number), 1s, all(refused)},
      {"another one is refused while this one holds", of_order(number, OutputProgress::done), 1s, all(done)},
      {"a later one was taken", of_order(number + 1, OutputProgress::done), 1s, all(ended)},
      {"an earlier one holds, nothing of this one", of_order(number - 1, OutputProgress::done), 1s, held_end},
      {"the agent has started anew", of_order(0, OutputProgress::none), 1s, held_end},
      {"the same when the deadline and its grace are over",
       of_order(0, OutputProgress::none),
       16s,
       {no_answer, ended, ended, ended, refused, failed, no_answer, ended}},
      {"the agent is away", away(), 1s, none},
      {"it is away at the deadline, what it said last may be on its way", away(), 15s, none},
      {"it is away after the deadline",
       away(),
       16s,
       {no_answer, no_answer, done, overruled, refused, failed, no_answer, ended}},
      {"it is away when the time of the order is over",
       away(),
       606s,
       {no_answer, no_answer, ended, ended, refused, failed, no_answer, ended}},
  };
}

TEST(OrderStep, EachStateBecomesByEachMessageWhatTheTableSays) {
  for (const Row& row : rows())
    for (std::size_t i = 0; i < all_states.size(); ++i) {
      const OrderProgress before = all_states[i], expected = row.becomes[i];
      SCOPED_TRACE(std::string{name_of(before)} + ": " + row.what);
      KeptOrder order = order_in(before);
      const auto step = step_of(order, row.told, given_at + row.after);
      if (step) {
        order.progress = step->progress;
        order.reason = step->reason;
      }
      EXPECT_EQ(name_of(order.progress), name_of(expected));
      EXPECT_FALSE(step_of(order, row.told, given_at + row.after)) << "each step is told once";
    }
}

TEST(OrderStep, WhatAnAgentThatIsAwaySaidLastOfAnOrderMovesNothing) {
  for (const OrderProgress before : all_states) {
    ToldOfOutput told = of_order(number, OutputProgress::done);
    told.refused = number;
    told.is_live = false;
    EXPECT_FALSE(step_of(order_in(before), told, given_at + 1s)) << name_of(before);
  }
}

TEST(OrderStep, TheReasonIsWhatWasSaidOfThisVeryOrder) {
  ToldOfOutput told = of_refusal(0, number);
  told.event = "order 8 of the centre is refused: siren is inhibited by li";
  EXPECT_EQ(step_of(order_in(sent), told, given_at + 1s).value().reason, "");
  told.event = "order 7 of the centre is refused: siren is inhibited by li";
  EXPECT_THAT(step_of(order_in(sent), told, given_at + 1s).value().reason, HasSubstr("inhibited by li"));
  // The words may come after the number: then they are told once.
  KeptOrder known = order_in(refused);
  const auto later = step_of(known, told, given_at + 2s);
  ASSERT_TRUE(later);
  known.reason = later->reason;
  EXPECT_FALSE(step_of(known, told, given_at + 3s));
  // By its words alone: an order that is too late has no number at its output.
  told.refused = 0;
  EXPECT_EQ(step_of(order_in(sent), told, given_at + 1s).value().progress, refused);
}

TEST(OrderStep, AnEventOfALongerNumberIsNotOfThisOrder) {
  ToldOfOutput told = of_order(0, OutputProgress::none);
  told.event = "order 70 of the centre is refused: siren is inhibited by li";
  EXPECT_FALSE(step_of(order_in(sent), told, given_at + 1s));
  told = of_order(number, OutputProgress::failed);
  told.event = "order 70 by li for output siren was not done in its time and is given up";
  EXPECT_EQ(step_of(order_in(sent), told, given_at + 1s).value().reason, "");
}

TEST(OrderStep, WhoEndsItIsNamed) {
  EXPECT_THAT(
      step_of(order_in(done), of_order(number + 1, OutputProgress::done), given_at + 1s).value().reason,
      HasSubstr("order 8 took its place"));
  EXPECT_THAT(step_of(order_in(done), of_order(0, OutputProgress::none), given_at + 1s).value().reason,
              HasSubstr("started anew"));
  EXPECT_THAT(step_of(order_in(done), away(), given_at + 606s).value().reason, HasSubstr("told nothing"));
}

TEST(OrderIsOver, WhenNothingMoreCanBecomeOfIt) {
  struct Case {
    OrderProgress progress;
    std::chrono::seconds after;
    const char* reason;
    bool is_over;
  };
  for (const Case& one :
       {Case{sent, 1000h, "", false}, Case{under_way, 1000h, "", false}, Case{done, 1000h, "", false},
        Case{overruled, 1000h, "", false}, Case{refused, 1s, "", false}, Case{refused, 1s, "inhibited", true},
        Case{refused, 16s, "", true}, Case{failed, 1s, "", false}, Case{failed, 1s, "given up", true},
        Case{failed, 16s, "", true}, Case{no_answer, 24h, "", false}, Case{no_answer, 24h + 1s, "", true},
        Case{ended, 1s, "", true}}) {
    KeptOrder order = order_in(one.progress);
    order.reason = one.reason;
    EXPECT_EQ(is_over(order, given_at + one.after), one.is_over)
        << name_of(one.progress) << " " << one.reason << " after " << one.after.count() << " s";
  }
  KeptOrder back = order_in(done);
  back.wish.to = OutputTarget::automatic;
  EXPECT_TRUE(is_over(back, given_at + 1s)) << "automatic again: there is nothing that holds";
}

}  // namespace
}  // namespace watchroom::aggregator
