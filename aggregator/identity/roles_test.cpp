// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/roles.hpp"

#include <gtest/gtest.h>

namespace watchroom::aggregator {
namespace {

TEST(Roles, EveryoneMayLookAndOnlyThoseOnDutyMayAct) {
  for (const Role role : all_roles) EXPECT_TRUE(may(role, Action::view)) << name_of(role);
  EXPECT_FALSE(may(Role::viewer, Action::acknowledge));
  EXPECT_TRUE(may(Role::operator_, Action::acknowledge));
  EXPECT_TRUE(may(Role::shift_lead, Action::acknowledge));
  EXPECT_TRUE(may(Role::administrator, Action::acknowledge));
  EXPECT_FALSE(may(Role::auditor, Action::acknowledge));
  for (const Role role : all_roles) EXPECT_EQ(may(role, Action::set_class), may(role, Action::acknowledge));
  for (const Role role : all_roles) EXPECT_EQ(may(role, Action::manage_agents), role == Role::administrator);
  for (const Role role : all_roles)
    EXPECT_EQ(may(role, Action::switch_outputs), role == Role::shift_lead || role == Role::administrator);
}

TEST(Roles, TheAuditLogIsForAuditorsAndUsersAreForAdministrators) {
  for (const Role role : all_roles) {
    EXPECT_EQ(may(role, Action::view_audit), role == Role::auditor || role == Role::administrator);
    EXPECT_EQ(may(role, Action::manage_users), role == Role::administrator);
  }
}

TEST(Roles, ActionsAreFoundByTheirNames) {
  for (const Action action : all_actions) EXPECT_EQ(action_named(name_of(action)), action);
  EXPECT_FALSE(action_named("everything"));
}

TEST(Roles, AreFoundByTheirNames) {
  for (const Role role : all_roles) EXPECT_EQ(role_named(name_of(role)), role);
  EXPECT_FALSE(role_named("emperor"));
}

}  // namespace
}  // namespace watchroom::aggregator
