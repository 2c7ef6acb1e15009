// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/read_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr auto input = RegisterTable::input;
constexpr auto holding = RegisterTable::holding;

ModbusTraits limits(int registers = 125, int hole = 16) {
  ModbusTraits made;
  made.max_registers = registers;
  made.largest_hole = hole;
  return made;
}

TEST(ReadPlan, MergesNeighboursIntoOneRequest) {
  const ReadPlan plan{{{input, 2, 2}, {input, 0, 2}, {input, 4, 2}}, limits()};
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 0, 6}));
}

TEST(ReadPlan, BridgesHolesUpToTheLimitOnly) {
  const ReadPlan plan{{{input, 0, 1}, {input, 11, 1}, {input, 30, 1}}, limits(125, 10)};
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 0, 12}, ReadRequest{input, 30, 1}));
}

TEST(ReadPlan, NeverAsksForMoreThanTheDeviceTakes) {
  std::vector<RegisterSpan> spans;
  for (std::uint16_t i = 0; i < 100; ++i) spans.push_back({input, static_cast<std::uint16_t>(2 * i), 2});
  const ReadPlan plan{spans, limits(31)};
  for (const ReadRequest& request : plan.requests())
    EXPECT_EQ(request.count <= 31 && request.count % 2 == 0, true);
  EXPECT_EQ(plan.requests().size(), 7u);
}

TEST(ReadPlan, KeepsTheTablesApart) {
  const ReadPlan plan{{{input, 0, 1}, {holding, 1, 1}}, limits()};
  EXPECT_EQ(plan.requests().size(), 2u);
}

TEST(ReadPlan, ReadsASharedRegisterOnce) {
  const ReadPlan plan{{{input, 5, 1}, {input, 5, 1}, {input, 5, 2}}, limits()};
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 5, 2}));
}

TEST(ReadPlan, ReachesTheLastAddress) {
  const ReadPlan plan{{{input, 65534, 2}}, limits()};
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 65534, 2}));
}

TEST(ReadPlan, CutsARefusedRequestAtItsWidestHoleFirst) {
  ReadPlan plan{{{input, 0, 1}, {input, 1, 1}, {input, 2, 1}, {input, 9, 1}}, limits()};
  EXPECT_TRUE(plan.refuse(0, 2, Steady{}));
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 0, 3}, ReadRequest{input, 9, 1}));
}

TEST(ReadPlan, LeavesOutWhatIsRefusedAloneAndAsksAgainLater) {
  ReadPlan plan{{{input, 0, 1}, {input, 1, 1}}, limits()};
  EXPECT_TRUE(plan.refuse(0, 2, Steady{}));
  EXPECT_FALSE(plan.refuse(1, 2, Steady{}));
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 0, 1}));
  EXPECT_EQ(plan.refusal({input, 1, 1}), 2);
  plan.readmit(Steady{9s});
  EXPECT_EQ(plan.requests().size(), 1u);
  plan.readmit(Steady{10s});
  EXPECT_EQ(plan.requests().size(), 2u);
  EXPECT_EQ(plan.refusal({input, 1, 1}), 0);
}

TEST(ReadPlan, JoinsWhatIsAnsweredAgain) {
  ReadPlan plan{{{input, 0, 1}, {input, 1, 1}, {input, 2, 1}}, limits()};
  plan.refuse(0, 2, Steady{});
  EXPECT_FALSE(plan.refuse(0, 2, Steady{}));
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 1, 2}));
  plan.readmit(Steady{10s});
  for (std::size_t i = 0; i < plan.requests().size();) i = plan.accept(i);
  plan.readmit(Steady{11s});
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 0, 3}));
}

TEST(ReadPlan, WaitsTwiceAsLongAfterEachRefusal) {
  ReadPlan plan{{{input, 0, 1}}, limits()};
  plan.refuse(0, 2, Steady{});
  plan.readmit(Steady{10s});
  plan.refuse(0, 2, Steady{10s});
  plan.readmit(Steady{29s});
  EXPECT_TRUE(plan.requests().empty());
  plan.readmit(Steady{30s});
  EXPECT_EQ(plan.requests().size(), 1u);
}

TEST(ReadPlan, ForgetsWhatADeviceRefusedWhileItStarted) {
  ReadPlan plan{{{input, 0, 1}, {input, 1, 1}}, limits()};
  plan.refuse(0, 2, Steady{});
  plan.refuse(0, 2, Steady{});
  plan.refuse(0, 2, Steady{});
  EXPECT_TRUE(plan.requests().empty());
  plan.forget();
  EXPECT_THAT(plan.requests(), ElementsAre(ReadRequest{input, 0, 2}));
}

}  // namespace
}  // namespace watchroom::agent
