// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/notify/wording.hpp"

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

AlarmChange leak(AlarmEvent event) {
  AlarmView alarm;
  alarm.id = 12;
  alarm.severity = Severity::critical;
  alarm.title_zh = "漏水";
  alarm.title_en = "Water leak";
  alarm.site = "hq";
  alarm.agent = "room1";
  alarm.device = "leak1";
  alarm.device_name = "北侧水浸";
  alarm.raised_at = from_ms(1'800'000'000'000);
  return {event, alarm};
}

TEST(Wording, TheSubjectSaysHowBadWhereAndWhat) {
  const Mail mail = compose_mail(leak(AlarmEvent::raised), "li@example.com", Language::zh, "watchroom", {});
  EXPECT_EQ(mail.subject, "[紧急] 北侧水浸 漏水 — hq/room1");
  EXPECT_EQ(compose_mail(leak(AlarmEvent::cleared), "li@example.com", Language::en, "watchroom", {}).subject,
            "[cleared] 北侧水浸 Water leak - hq/room1");
}

TEST(Wording, WhatADeviceCallsItselfCannotWordTheMail) {
  AlarmChange change = leak(AlarmEvent::raised);
  change.alarm.device_name = "x\n\n告警已恢复\u202egnp.\x1b[2J\r\nBcc: all@example.com";
  const Mail mail = compose_mail(change, "li@example.com", Language::zh, "watchroom", {});
  for (const std::string* text : {&mail.subject, &mail.body}) {
    EXPECT_EQ(text->find("\n告警已恢复"), std::string::npos) << *text;
    EXPECT_EQ(text->find_first_of("\x1b\r"), std::string::npos);
    EXPECT_EQ(text->find("\u202e"), std::string::npos);
  }
  EXPECT_EQ(mail.subject.find('\n'), std::string::npos);
  EXPECT_NE(mail.body.find("Bcc: all@example.com"), std::string::npos) << "shown, as a part of the name";
}

TEST(Wording, TheSameNewsToTheSamePersonHasTheSameMessageId) {
  const auto id = [](AlarmEvent event, const char* to, std::int64_t now) {
    return compose_mail(leak(event), to, Language::zh, "watchroom", from_ms(now)).message_id;
  };
  EXPECT_EQ(id(AlarmEvent::raised, "li@example.com", 1), id(AlarmEvent::raised, "li@example.com", 2));
  EXPECT_NE(id(AlarmEvent::raised, "li@example.com", 1), id(AlarmEvent::raised, "wang@example.com", 1));
  EXPECT_NE(id(AlarmEvent::raised, "li@example.com", 1), id(AlarmEvent::cleared, "li@example.com", 1));
}

}  // namespace
}  // namespace watchroom::aggregator
