// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// An RTU answer does not say what it answers. Whatever a unit is late with, no value may stand under another
// point.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/modbus/modbus.hpp"
#include "agent/drivers/modbus/queueing_peer.hpp"
#include "agent/drivers/modbus/tested_unit.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Asked = QueueingPeer::Asked;
using Reply = QueueingPeer::Reply;
using Over = QueueingPeer::Over;
using Clock = QueueingPeer::Clock;

/// A point for each address, holding it when all is well; too far apart to be read together.
std::shared_ptr<const Profile> addresses(const std::vector<int>& list, std::string_view type = "u16") {
  std::string text;
  for (const int address : list)
    text += fmt::format(
        "[[point]]\nname = \"status[r{}].state\"\nlabel = {{ zh = \"a\", en = \"a\" }}\nunit = \"state\"\n"
        "register = {{ table = \"holding\", address = {}, type = \"{}\" }}\n"
        "states = {{ 0 = {{ zh = \"a\", en = \"a\" }} }}\n",
        address, address, type);
  return tested_profile(text);
}

class LateAnswer : public testing::TestWithParam<Over> {
 protected:
  ConfiguredDevice device(const QueueingPeer& peer, int unit, std::shared_ptr<const Profile> profile,
                          std::chrono::milliseconds timeout) {
    return tested_unit(peer.url(unit), unit, std::move(profile), timeout);
  }
  std::unique_ptr<Bus> bus(std::vector<ConfiguredDevice> devices) {
    return modbus.make(std::move(devices), BusContext{clock, Log::quiet(), {}, {}});
  }
  /// Whether every good reading is that of its own register; how many there were is added to `good`.
  static void check(const Answer& answer, const std::vector<int>& list, int& good) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (answer.readings[i].quality != Quality::good) continue;
      ++good;
      EXPECT_EQ(answer.readings[i].value, (Value{std::int64_t{list[i]}}));
    }
  }

  SystemClock clock;
};

INSTANTIATE_TEST_SUITE_P(Rtu, LateAnswer, testing::Values(Over::pty, Over::tcp), [](const auto& how) {
  return how.param == Over::pty ? std::string{"OnALine"} : std::string{"BehindASerialServer"};
});

TEST_P(LateAnswer, OfAUnitSlowerThanItsTimeOutIsNeverAnotherPoints) {
  QueueingPeer peer{GetParam(), [](const Asked&, int) { return Reply{.takes = 130ms}; }};
  const std::vector<int> list{20, 50, 80};
  const auto line = bus({device(peer, 1, addresses(list), 100ms)});
  int good = 0;
  for (int round = 0; round < 8; ++round) check(line->read(0), list, good);
  // It is given more time as soon as it is known to need it.
  EXPECT_GE(good, 12);
}

TEST_P(LateAnswer, OfAUnitThatStallsIsNeverAnotherPoints) {
  for (const auto stall : {130ms, 210ms, 330ms, 450ms}) {
    QueueingPeer peer{GetParam(), [stall](const Asked&, int number) {
                        return Reply{.takes = number % 7 == 4 ? stall : 3ms};
                      }};
    const std::vector<int> list{20, 50, 80};
    const auto line = bus({device(peer, 1, addresses(list), 100ms)});
    int good = 0;
    for (int round = 0; round < 8; ++round) check(line->read(0), list, good);
    EXPECT_GE(good, 12) << stall.count();
  }
}

TEST_P(LateAnswer, OfOneUnitDoesNotDisturbAnother) {
  QueueingPeer peer{GetParam(),
                    [](const Asked& asked, int) { return Reply{.takes = asked.unit == 1 ? 170ms : 3ms}; }};
  const std::vector<int> list{20, 50, 80};
  const auto line = bus({device(peer, 1, addresses(list), 100ms), device(peer, 2, addresses(list), 100ms)});
  int good = 0;
  for (int round = 0; round < 4; ++round) {
    check(line->read(0), list, good);
    int others = 0;
    check(line->read(1), list, others);
    EXPECT_EQ(others, 3) << round;
  }
}

TEST_P(LateAnswer, ALostFrameCostsOneTimeOutAndNoMore) {
  QueueingPeer peer{GetParam(),
                    [](const Asked&, int number) { return Reply{.takes = 2ms, .is_lost = number == 3}; }};
  const std::vector<int> list{20, 50, 80};
  const auto line = bus({device(peer, 1, addresses(list, "u16"), 200ms)});
  int good = 0;
  check(line->read(0), list, good);
  const auto began = Clock::now();
  check(line->read(0), list, good);
  EXPECT_EQ(good, 6);
  EXPECT_LT(Clock::now() - began, 350ms);
}

TEST_P(LateAnswer, ABadChecksumCostsOneQuestionMore) {
  QueueingPeer peer{GetParam(), [](const Asked&, int number) {
                      return Reply{.takes = 2ms, .has_bad_checksum = number == 3};
                    }};
  const std::vector<int> list{20, 50, 80};
  const auto line = bus({device(peer, 1, addresses(list), 600ms)});
  int good = 0;
  check(line->read(0), list, good);
  const auto began = Clock::now();
  check(line->read(0), list, good);
  EXPECT_EQ(good, 6);
  EXPECT_LT(Clock::now() - began, 500ms);
  EXPECT_EQ(peer.asked().size(), 7u);
}

TEST_P(LateAnswer, IsNeverAnotherPointsWhateverTheUnitDoes) {
  std::mt19937 random{4711};
  const auto one_in = [&random](unsigned chances) { return random() % chances == 0; };
  QueueingPeer peer{GetParam(), [&](const Asked&, int) {
                      Reply reply{.takes = std::chrono::milliseconds{one_in(4) ? 1 + random() % 120 : 1}};
                      reply.is_lost = one_in(15);
                      reply.has_bad_checksum = one_in(15);
                      reply.exception = one_in(15) ? 6 : 0;
                      return reply;
                    }};
  const std::vector<int> list{20, 50, 80, 110};
  const auto line = bus({device(peer, 1, addresses(list), 50ms)});
  int good = 0;
  for (int round = 0; round < 25; ++round) check(line->read(0), list, good);
  EXPECT_GE(good, 20);
}

// Many devices have nothing behind a register, and say so when two are asked for.
TEST_P(LateAnswer, IsKeptApartAlsoWhereTheQuestionBetweenIsRefused) {
  QueueingPeer peer{GetParam(), [](const Asked& asked, int number) {
                      return Reply{
                          .takes = 2ms, .is_lost = number == 3, .exception = asked.count > 1 ? 2 : 0};
                    }};
  const std::vector<int> list{20, 50, 80};
  const auto line = bus({device(peer, 1, addresses(list), 200ms)});
  int good = 0;
  for (int round = 0; round < 3; ++round) check(line->read(0), list, good);
  EXPECT_EQ(good, 9);
}

/// A unit that says nothing when any of these is asked for.
QueueingPeer::Habit silent_at(std::vector<int> holes, std::chrono::milliseconds takes = 2ms) {
  return [holes = std::move(holes), takes](const Asked& asked, int) {
    const bool is_silent = std::ranges::any_of(
        holes, [&](int hole) { return asked.address <= hole && hole < asked.address + asked.count; });
    return Reply{.takes = takes, .is_lost = is_silent};
  };
}

TEST_P(LateAnswer, ABlockThatIsNeverAnsweredDoesNotTakeTheOthersWithIt) {
  for (const int hole : {20, 50, 80}) {
    QueueingPeer peer{GetParam(), silent_at({hole})};
    const std::vector<int> list{20, 50, 80};
    const auto line = bus({device(peer, 1, addresses(list), 50ms)});
    int good = 0;
    for (int round = 0; round < 3; ++round) check(line->read(0), list, good);
    EXPECT_GE(good, 4) << hole;
    const auto asked = peer.asked().size();
    const auto began = Clock::now();
    const Answer answer = line->read(0);
    EXPECT_EQ(answer.communication, Communication::ok);
    EXPECT_LT(Clock::now() - began, 50ms);  // it is left out
    EXPECT_EQ(peer.asked().size(), asked + 2);
    for (std::size_t i = 0; i < list.size(); ++i)
      EXPECT_EQ(answer.readings[i].quality, list[i] == hole ? Quality::bad : Quality::good) << list[i];
  }
}

// Then no question in between can tell, and what is owed must be given up first.
TEST_P(LateAnswer, NorWhereTheUnitKnowsNothingButItsPoints) {
  for (const int hole : {20, 50, 80}) {
    QueueingPeer peer{GetParam(), silent_at({hole, 21, 51, 81})};
    const std::vector<int> list{20, 50, 80};
    const auto line = bus({device(peer, 1, addresses(list), 50ms)});
    int good = 0;
    for (const auto give_up = Clock::now() + 5s; good < 2 && Clock::now() < give_up;)
      good = 0, check(line->read(0), list, good);
    EXPECT_EQ(good, 2) << hole;
    check(line->read(0), list, good);
    EXPECT_EQ(good, 4) << hole;
  }
}

TEST_P(LateAnswer, ARegisterThatIsNeverAnsweredIsFoundAmongItsNeighbours) {
  QueueingPeer peer{GetParam(), silent_at({23})};
  const std::vector<int> list{20, 21, 22, 23, 24, 25, 26, 27, 60, 61};
  const auto line = bus({device(peer, 1, addresses(list), 50ms)});
  int good = 0;
  for (int round = 0; round < 5; ++round) check(line->read(0), list, good);
  good = 0;
  check(line->read(0), list, good);
  EXPECT_EQ(good, 9);
}

TEST_P(LateAnswer, AUnitThatDiesBetweenTwoBlocksIsSilentAndNothingIsLearned) {
  std::atomic<int> deaf_from = 4;
  QueueingPeer peer{GetParam(), [&](const Asked&, int number) {
                      return Reply{.takes = 2ms, .is_lost = number >= deaf_from};
                    }};
  const std::vector<int> list{20, 50, 80};
  const auto line = bus({device(peer, 1, addresses(list), 50ms)});
  EXPECT_EQ(line->read(0).communication, Communication::ok);
  EXPECT_EQ(line->read(0).communication, Communication::no_answer);
  deaf_from = 1'000;
  int good = 0;
  for (int round = 0; round < 3 && good < 3; ++round) good = 0, check(line->read(0), list, good);
  EXPECT_EQ(good, 3);
}

}  // namespace
}  // namespace watchroom::agent
