// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

/// What goes wrong with ourselves and with what we depend on.
class Trouble : public CoreTest {
 protected:
  void refuse_newest_mail(std::size_t& answered) {
    for (; answered < outside.mails.size(); ++answered)
      happen(Delivered{outside.mails[answered].first, fail(Errc::refused, Retry::never, "550 no such user")});
  }
  const AlarmView* alarm_of(const std::string& rule) {
    alarms = room->alarms(0);
    const auto found =
        std::find_if(alarms.begin(), alarms.end(), [&](const auto& alarm) { return alarm.rule == rule; });
    return found == alarms.end() ? nullptr : &*found;
  }
  std::vector<AlarmView> alarms;
};

TEST_F(Trouble, ARefusedMailIsGivenUpOnlyAfterSeveralTriesOverSomeTimeAndSaysSo) {
  be_born();
  reads(31.0);
  std::size_t answered = 0;
  for (int minute = 0; minute < 59; ++minute) {
    clock.advance(30s);
    pass(30s);
    reads(31.0);
    refuse_newest_mail(answered);
  }
  EXPECT_EQ(room->status().mails_failed, 0u);
  ASSERT_TRUE(alarm_of("mail"));
  EXPECT_THAT(alarm_of("mail")->text_zh, HasSubstr("550 no such user"));
  for (int minute = 0; minute < 15; ++minute) {
    clock.advance(30s);
    pass(30s);
    reads(31.0);
    refuse_newest_mail(answered);
  }
  EXPECT_GE(room->status().mails_failed, 1u);
  EXPECT_EQ(alarm_of("hot")->mail, "failed");
}

TEST_F(Trouble, AMailThatGoesThroughEndsTheAlarmAboutMails) {
  be_born();
  reads(31.0);
  pass(30s);
  for (int i = 0; i < 3; ++i) {
    happen(Delivered{1, fail(Errc::no_answer, Retry::later, "slow")});
    clock.advance(60s);
    core->step({});
  }
  ASSERT_TRUE(alarm_of("mail"));
  EXPECT_TRUE(alarm_of("mail")->is_active);
  happen(Delivered{1, {}});
  EXPECT_FALSE(alarm_of("mail")->is_active);
}

TEST_F(Trouble, RecordsThatAnAgentHadToDropAreToldOnceAlsoOverARestart) {
  be_born();
  EXPECT_FALSE(alarm_of("lost"));
  lost = 5;
  be_born();
  ASSERT_TRUE(alarm_of("lost"));
  EXPECT_THAT(alarm_of("lost")->text_zh, HasSubstr("5"));
  ASSERT_TRUE(acknowledge(1));
  for (int i = 0; i < 12; ++i) {
    clock.advance(59s);
    pass(1s);
  }
  EXPECT_FALSE(alarm_of("lost")) << "no more were lost for a while";
  restart();
  be_born();
  EXPECT_FALSE(alarm_of("lost"));
}

TEST_F(Trouble, ARestoredImageOfAJournalIsAnAlarm) {
  be_born();
  reads(22.0);
  reads(23.0);
  be_born();
  EXPECT_FALSE(alarm_of("restored"));
  record = 1;
  be_born();
  ASSERT_TRUE(alarm_of("restored"));
  EXPECT_TRUE(alarm_of("restored")->is_active);
}

TEST_F(Trouble, ADeviceThatIsNeverAskedIsAnAlarmWhenItIsOverdue) {
  communication = 6;
  has_temperature = false;
  be_born();
  pass(90s);
  EXPECT_FALSE(alarm_of("silent"));
  pass(30s);
  ASSERT_TRUE(alarm_of("silent"));
  EXPECT_EQ(alarm_of("silent")->point, "communication.state");
}

}  // namespace
}  // namespace watchroom::aggregator
