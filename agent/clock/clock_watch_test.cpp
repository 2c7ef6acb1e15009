// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/clock/clock_watch.hpp"

#include <gtest/gtest.h>

#include "agent/clock/era_book.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const Timestamp built = from_ms(1'790'000'000'000);

/// A machine whose clock a test sets, and the watch that looks at it.
class Machine {
 public:
  explicit Machine(Timestamp wall, bool is_synchronised = false, Timestamp known = {})
      : time_{wall, Steady{1000s}, is_synchronised}, watch_{time_, built, known} {}

  std::optional<ClockStep> passes(milliseconds time) {
    time_.wall += time;
    time_.steady += time;
    return watch_.look(time_);
  }
  std::optional<ClockStep> jumps(milliseconds by) {
    time_.wall += by;
    return passes(1s);
  }
  std::optional<ClockStep> is_synchronised(bool now) {
    time_.is_synchronised = now;
    return passes(1s);
  }
  void stands_still(milliseconds time) {
    time_.wall += time;
    time_.steady += time;
  }
  std::optional<ClockStep> hears(Timestamp host) { return watch_.heard(host, time_); }

  Timestamp wall() const { return time_.wall; }
  Timestamp ours() const { return Timestamp{time_.steady.time_since_epoch() + watch_.offset()}; }
  ClockTrust trust() const { return watch_.trust(); }

 private:
  MachineTime time_;
  ClockWatch watch_;
};

TEST(ClockWatch, AClockThatNobodyConfirmedIsPlausibleAndFollowed) {
  Machine machine{built + 24h};
  EXPECT_EQ(machine.trust(), ClockTrust::plausible);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(machine.jumps(50ms));  // as a daemon that slews does
  EXPECT_EQ(machine.trust(), ClockTrust::plausible);
  EXPECT_EQ(machine.ours(), machine.wall());
}

TEST(ClockWatch, AClockThatWasNeverSetIsUnsureUntilTheKernelIsSynchronised) {
  Machine machine{from_ms(1000)};
  EXPECT_EQ(machine.trust(), ClockTrust::unsure);
  EXPECT_FALSE(machine.passes(1h));
  const milliseconds missing = built + 24h - machine.wall();
  machine.jumps(missing);
  EXPECT_EQ(machine.trust(), ClockTrust::unsure);  // somebody set it; nobody vouches for it
  const auto step = machine.is_synchronised(true);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->after, ClockTrust::confirmed);
  EXPECT_EQ(machine.ours(), machine.wall());
}

TEST(ClockWatch, AStartBeforeATimeThatWasKnownIsUnsure) {
  EXPECT_EQ((Machine{built + 1h, false, built + 24h}.trust()), ClockTrust::unsure);
  EXPECT_EQ((Machine{built + 25h, false, built + 24h}.trust()), ClockTrust::plausible);
  EXPECT_EQ((Machine{built + 1h, true, built + 24h}.trust()), ClockTrust::confirmed);  // that time was wrong
}

TEST(ClockWatch, AJumpThatNobodyVouchesForMakesTheTimeUnsure) {
  for (const milliseconds by : {milliseconds{2h}, milliseconds{-2h}, milliseconds{1500}}) {
    Machine machine{built + 24h};
    const auto step = machine.jumps(by);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->by, by);
    EXPECT_EQ(machine.trust(), ClockTrust::unsure);
    EXPECT_EQ(machine.ours(), machine.wall());
    EXPECT_FALSE(machine.passes(10h));
  }
}

TEST(ClockWatch, ASynchronisedKernelMayJump) {
  Machine machine{built + 24h, true};
  const auto step = machine.jumps(3h);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->by, milliseconds{3h});
  EXPECT_EQ(machine.trust(), ClockTrust::confirmed);
}

TEST(ClockWatch, ATimeThatCannotBeIsNotFollowed) {
  Machine machine{built + 24h};
  const Timestamp before = machine.ours();
  ASSERT_TRUE(machine.jumps(-24h * 365));
  EXPECT_EQ(machine.ours(), before + 1s);
  EXPECT_EQ(machine.trust(), ClockTrust::plausible);
  EXPECT_FALSE(machine.passes(1h));  // told once
}

TEST(ClockWatch, AHostThatAgreesConfirms) {
  Machine machine{built + 24h};
  const auto step = machine.hears(machine.ours() - 3s);  // its message was on its way
  ASSERT_TRUE(step);
  EXPECT_EQ(step->by, 0ms);
  EXPECT_EQ(machine.trust(), ClockTrust::confirmed);
  EXPECT_FALSE(machine.hears(machine.ours()));  // told once
}

TEST(ClockWatch, AMessageThatWasLateDoesNotSetARightClockBack) {
  Machine machine{built + 24h};
  machine.hears(machine.ours());
  for (const milliseconds late :
       {12'000ms, 30'000ms, 11'000ms, 0ms}) {  // what a stalled line lets go at once
    EXPECT_FALSE(machine.hears(machine.ours() - late));
    machine.passes(100ms);
  }
  EXPECT_FALSE(machine.hears(machine.ours() - 12s));
  machine.passes(60s);
  EXPECT_EQ(machine.ours(), machine.wall());
  EXPECT_EQ(machine.trust(), ClockTrust::confirmed);
}

TEST(ClockWatch, AClockThatIsAheadGoesBackByTheLeastThatWasSaid) {
  Machine machine{built + 24h};
  EXPECT_FALSE(machine.hears(machine.ours() - 40s));
  machine.passes(1s);
  EXPECT_FALSE(machine.hears(machine.ours() - 33s));
  machine.passes(1s);
  const auto step = machine.hears(machine.ours() - 35s);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->by, milliseconds{-33s});
  EXPECT_EQ(step->after, ClockTrust::confirmed);
  EXPECT_EQ(machine.hears(machine.ours() - 3h)->by, milliseconds{-3h});  // no message is late by that
}

TEST(ClockWatch, AClockThatIsBehindGoesOnAtOnce) {
  Machine machine{built + 24h};
  EXPECT_EQ(machine.hears(machine.ours() + 2s)->by, milliseconds{2s});
  EXPECT_EQ(machine.hears(machine.ours() + 3h)->by, milliseconds{3h});
  EXPECT_FALSE(machine.hears(machine.ours() + 500ms));
}

TEST(ClockWatch, WhatWasReadAfterWeStoodStillSaysNothing) {
  Machine machine{built + 24h};
  machine.hears(machine.ours());
  machine.stands_still(10min);
  EXPECT_FALSE(machine.hears(machine.ours() - 10min));
  EXPECT_EQ(machine.ours(), machine.wall());
}

TEST(ClockWatch, WithoutABetterClockTheTimeIsTheHosts) {
  Machine machine{from_ms(5000)};
  const Timestamp host = built + 48h;
  const auto step = machine.hears(host);
  ASSERT_TRUE(step);
  EXPECT_EQ(machine.ours(), host);
  EXPECT_EQ(machine.trust(), ClockTrust::confirmed);
  EXPECT_FALSE(machine.passes(1h));  // the machine's own time is still nonsense, which is known
  EXPECT_EQ(machine.ours(), host + 1h);
  EXPECT_EQ(machine.trust(), ClockTrust::confirmed);
}

TEST(ClockWatch, ASynchronisedKernelIsNotSteeredByAHostButNotBelievedAgainstOne) {
  Machine machine{built + 24h, true};
  EXPECT_FALSE(
      machine.hears(machine.ours() + 50s));  // clocks that are kept differ by less; it does not matter
  const auto step = machine.hears(machine.ours() + 2h);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->by, 0ms);
  EXPECT_EQ(step->after, ClockTrust::unsure);
  EXPECT_NE(step->why.find("7200 s behind the centre's"), std::string::npos) << step->why;
  EXPECT_EQ(machine.ours(), machine.wall());
  EXPECT_FALSE(machine.passes(1s));                  // the kernel's word alone does not end it
  EXPECT_FALSE(machine.hears(machine.ours() + 2h));  // told once
  const auto agreed = machine.hears(machine.ours() - 2s);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->after, ClockTrust::confirmed);
}

TEST(ClockWatch, ASynchronisedKernelThatIsAheadOfTheHostIsUnsureOnceNoMessageWasLate) {
  Machine machine{built + 24h, true};
  EXPECT_FALSE(machine.hears(machine.ours() - 100s));
  machine.passes(1s);
  EXPECT_FALSE(machine.hears(machine.ours() - 5s));  // it was the message
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(machine.hears(machine.ours() - 100s - i * 1s));
    machine.passes(1s);
  }
  EXPECT_EQ(machine.hears(machine.ours() - 100s)->after, ClockTrust::unsure);
  EXPECT_EQ(machine.ours(), machine.wall());
}

TEST(ClockWatch, ADisputeEndsWhenTheKernelIsNoLongerSynchronised) {
  Machine machine{built + 24h, true};
  machine.hears(machine.ours() + 2h);
  machine.is_synchronised(false);
  const auto step = machine.hears(machine.ours() + 2h);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->by, milliseconds{2h});
  EXPECT_EQ(step->after, ClockTrust::confirmed);
  machine.is_synchronised(true);  // the network's time is followed again
  EXPECT_EQ(machine.ours(), machine.wall());
}

TEST(ClockWatch, AHostFromBeforeTheBuildIsNotBelieved) {
  Machine machine{from_ms(5000)};
  EXPECT_FALSE(machine.hears(from_ms(7000)));
  EXPECT_EQ(machine.trust(), ClockTrust::unsure);
}

TEST(EraBook, WhatNobodyHadConfirmedIsPutRightOnceTheTimeIsKnown) {
  EraBook book;
  const auto never_set = book.begin("boot", 1000ms, ClockTrust::unsure);
  const auto jumped = book.begin("boot", 5000ms, ClockTrust::unsure);
  const auto other_boot = book.begin("before", 7ms, ClockTrust::unsure);
  EXPECT_TRUE(book.correction(never_set).is_unsure);
  book.confirm("boot", 90'000ms);
  EXPECT_EQ(book.correction(never_set).by, 89'000ms);
  EXPECT_FALSE(book.correction(never_set).is_unsure);
  EXPECT_EQ(book.correction(jumped).by, 85'000ms);
  EXPECT_TRUE(book.correction(other_boot).is_unsure);  // its steady time was another
  EXPECT_EQ(book.correction(other_boot).by, 0ms);
  book.confirm("boot", 120'000ms);  // a later step says nothing of times that were right
  EXPECT_EQ(book.correction(jumped).by, 85'000ms);
}

TEST(EraBook, RecordsFromBeforeThereWereErasAreTakenAsTheyAre) {
  EXPECT_EQ(EraBook{}.correction(0).by, 0ms);
  EXPECT_FALSE(EraBook{}.correction(0).is_unsure);
}

TEST(CertificateTimeOfThisMachine, IsItsClockWhenTheKernelVouchesForItElseThatWeWereBuilt) {
  bool is_synchronised = true;
  const ClockFacts facts{built, "", [&] { return is_synchronised; }};
  EXPECT_EQ(facts.certificate_time(built + 1h).now, built + 1h);
  EXPECT_TRUE(facts.certificate_time(built + 1h).is_sure);
  EXPECT_EQ(facts.certificate_time(from_ms(0)).now, built);
  EXPECT_FALSE(facts.certificate_time(from_ms(0)).is_sure);
  is_synchronised = false;
  EXPECT_EQ(facts.certificate_time(built + 24h * 365 * 14).now, built) << "2040";
  EXPECT_FALSE(facts.certificate_time(built + 1h).is_sure);
}

}  // namespace
}  // namespace watchroom::agent
