// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/unread_changes.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

/// A contact that a test opens and closes, and its reader.
class Contact {
 public:
  void change() { contact_ = {!contact_.level, contact_.changes + 1}; }
  UnreadChanges::Shown read() { return reader_.show(contact_); }

 private:
  SettledLevel contact_{false, 7};
  UnreadChanges reader_;
};

TEST(UnreadChanges, WhatStaysIsShownAsItIs) {
  Contact contact;
  for (int i = 0; i < 3; ++i) {
    const auto shown = contact.read();
    EXPECT_FALSE(shown.level);
    EXPECT_TRUE(shown.is_all);
  }
  contact.change();
  EXPECT_TRUE(contact.read().level);
  EXPECT_TRUE(contact.read().is_all);
}

TEST(UnreadChanges, AContactThatClosedAndOpenedUnreadIsShownClosedOnce) {
  Contact contact;
  contact.read();
  contact.change();
  contact.change();
  const auto first = contact.read();
  EXPECT_TRUE(first.level);
  EXPECT_FALSE(first.is_all);
  const auto second = contact.read();
  EXPECT_FALSE(second.level);
  EXPECT_TRUE(second.is_all);
}

TEST(UnreadChanges, ManyTimesInBetweenAreOne) {
  Contact contact;
  contact.read();
  for (int i = 0; i < 6; ++i) contact.change();
  EXPECT_TRUE(contact.read().level);
  EXPECT_FALSE(contact.read().level);
  for (int i = 0; i < 5; ++i) contact.change();
  const auto shown = contact.read();
  EXPECT_TRUE(shown.level);
  EXPECT_TRUE(shown.is_all);
}

TEST(UnreadChanges, OneThatChangesWhileItIsShownIsNotForgotten) {
  Contact contact;
  contact.read();
  contact.change();
  contact.change();
  EXPECT_TRUE(contact.read().level);
  contact.change();  // closed again, before that it was open was told
  EXPECT_FALSE(contact.read().level);
  const auto closed_again = contact.read();
  EXPECT_TRUE(closed_again.level);
  EXPECT_TRUE(closed_again.is_all);
}

TEST(UnreadChanges, WhatWasBeforeTheFirstReadingIsNoNews) {
  Contact contact;
  contact.change();
  contact.change();
  const auto shown = contact.read();
  EXPECT_FALSE(shown.level);
  EXPECT_TRUE(shown.is_all);
}

}  // namespace
}  // namespace watchroom::agent
