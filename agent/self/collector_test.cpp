// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/collector.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/journal/scratch_folder.hpp"
#include "agent/self/tested_figures.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CollectorTest : public testing::Test {
 protected:
  /// Lets a time pass in which the bus is asked so often, and fails so often.
  SelfFigures after(std::chrono::seconds time, int polls, int failures,
                    std::chrono::milliseconds each = 10ms) {
    for (int i = 0; i < polls; ++i) {
      const auto now = i < failures ? Communication::no_answer : Communication::ok;
      bus_->asked(now, now);
      bus_->was_busy(each);
    }
    clock_.advance(time);
    return collector_.collect();
  }

  ScratchFolder folder_;
  FakeClock clock_;
  BusBoard board_;
  std::shared_ptr<BusFigures> bus_ = board_.add("/dev/ttyS1", 2, 1);
  Collector collector_{{folder_.path(), folder_.path() / "ca.pem", folder_.path() / "agent.pem"},
                       {[this] { return board_.take(); }, [] { return CoreFigures{}; }},
                       clock_};
};

TEST_F(CollectorTest, KnowsABussLoadFromTheFirstLookOn) {
  const SelfFigures first = after(10s, 100, 0, 50ms);
  EXPECT_DOUBLE_EQ(first.buses.at(0).load.value(), 0.5);
  EXPECT_DOUBLE_EQ(first.buses.at(0).error_share.value(), 0.0);
  for (int i = 0; i < 6; ++i) after(10s, 0, 0);
  EXPECT_DOUBLE_EQ(after(10s, 0, 0).buses.at(0).load.value(), 0.0) << "a minute later it idles";
}

TEST_F(CollectorTest, TakesTheErrorsOfTheLastFiveMinutes) {
  EXPECT_EQ(after(10s, 0, 0).buses.at(0).error_share, std::nullopt) << "nothing was asked, nothing is known";
  EXPECT_DOUBLE_EQ(after(10s, 10, 5).buses.at(0).error_share.value(), 0.5);
  EXPECT_DOUBLE_EQ(after(10s, 30, 5).buses.at(0).error_share.value(), 0.25);
  SelfFigures later;
  for (int i = 0; i < 31; ++i) later = after(10s, 1, 0);
  EXPECT_DOUBLE_EQ(later.buses.at(0).error_share.value(), 0.0) << "long ago";
  for (int i = 0; i < 40; ++i) later = after(10s, 0, 0);
  EXPECT_DOUBLE_EQ(later.buses.at(0).error_share.value(), 0.0) << "what is asked seldom keeps its share";
}

TEST_F(CollectorTest, LooksAsOftenAsYouLikeWithoutLosingTheWidestLateness) {
  bus_->was_late(700ms);
  EXPECT_EQ(collector_.collect().buses.at(0).lateness, 700ms);
  EXPECT_EQ(collector_.collect().buses.at(0).lateness, 700ms);
  clock_.advance(5min);
  EXPECT_EQ(collector_.collect().buses.at(0).lateness, 0ms);
}

TEST_F(CollectorTest, ABusThatComesBackAfterAReloadBeginsAnew) {
  after(10s, 100, 100);
  bus_.reset();
  EXPECT_THAT(collector_.collect().buses, IsEmpty());
  bus_ = board_.add("/dev/ttyS1", 2, 1);
  EXPECT_DOUBLE_EQ(after(10s, 10, 0).buses.at(0).error_share.value(), 0.0);
}

TEST_F(CollectorTest, MeasuresThisProcess) {
  const SystemClock real;
  Collector collector{{folder_.path(), "/none", "/none"},
                      {[] { return std::vector<BusSnapshot>{}; }, [] { return CoreFigures{}; }},
                      real};
  const auto until = real.steady() + 300ms;
  volatile unsigned work = 0;
  while (real.steady() < until) work = work + 1;
  const SelfFigures figures = collector.collect();
  EXPECT_GT(figures.cpu_share.value(), 0.05) << "it was busy all the time, on a machine that may be too";
  EXPECT_LE(figures.cpu_share.value(), 1.2);
  EXPECT_EQ(figures.certificates.at(0).state, CertificateState::unreadable);
}

TEST(Missing, AreThoseWhoShouldHaveComeByBefore) {
  SelfFigures figures = tested_figures();
  EXPECT_THAT(who_is_missing(figures), IsEmpty());
  figures.core.back_by = figures.steady;
  figures.buses[0].counts.back_by = figures.steady + 1ms;
  EXPECT_THAT(who_is_missing(figures), IsEmpty()) << "in time is not late";
  figures.core.back_by = figures.steady - 5s;
  figures.buses[0].counts.back_by = figures.steady - 61s;
  EXPECT_THAT(who_is_missing(figures),
              ElementsAre("the core thread should have come by 5 s ago",
                          "a thread of the bus /dev/ttyS1 should have come by 61 s ago"));
}

TEST(Complaints, AreAboutWhatKeepsTheRoomUnwatched) {
  SelfFigures figures = tested_figures();
  EXPECT_THAT(complaints_about(figures), IsEmpty());
  figures.core.journal.health = JournalHealth::failing;
  figures.core.connected_since.reset();
  figures.core.disconnected_since = figures.steady - 29s;
  figures.certificates[0].state = CertificateState::expired;
  figures.certificates[1].state = CertificateState::unreadable;
  EXPECT_THAT(complaints_about(figures),
              ElementsAre("the journal cannot be written as it should", "the client certificate has run out",
                          "the ca certificate cannot be read"));
  figures.core.disconnected_since = figures.steady - 30s;
  EXPECT_THAT(complaints_about(figures), testing::Contains("no session at the broker for 30 s"));
  figures.judge.outputs[0].state = OutputState::failed;
  figures.judge.inhibit.is_inhibited = true;
  figures.judge.inhibit.owner = "li";
  EXPECT_THAT(complaints_about(figures), testing::IsSupersetOf({"the output siren is not as it should be",
                                                                "reactions are inhibited by li"}));
}

}  // namespace
}  // namespace watchroom::agent
