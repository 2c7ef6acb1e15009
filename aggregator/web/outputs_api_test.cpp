// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

class OutputsApi : public ServedRoom {
 protected:
  static constexpr const char* path = "/api/v1/agents/hq/room1/outputs/siren";
  Reply select(const std::string& body, Role role = Role::shift_lead) {
    return post(std::string{path} + "/selections", body, {bearer(role)});
  }
  Reply order(const std::string& body, Role role = Role::shift_lead) {
    return post(std::string{path} + "/orders", body, {bearer(role)});
  }
  static constexpr const char* wish = R"({"to": "on", "comment": "fire drill"})";
};

TEST_F(OutputsApi, IsSelectedThenOrderedAndAudited) {
  const Reply before = get("/api/v1/outputs", Role::viewer);
  EXPECT_TRUE(before.has(R"("state":"off")") && before.has(R"("order":null)")) << before.body;
  const Reply selected = select(wish);
  EXPECT_EQ(selected.status, 201) << selected.body;
  EXPECT_TRUE(selected.has(R"("selection":"1")") && selected.has(R"("lasting_s":600)")) << selected.body;
  const Reply ordered = order(R"({"selection": "1"})");
  EXPECT_EQ(ordered.status, 202) << ordered.body;
  EXPECT_TRUE(ordered.has(R"("progress":"sent")")) << ordered.body;
  EXPECT_EQ(order(R"({"selection": "1"})").status, 409) << "good once";
  EXPECT_TRUE(get("/api/v1/outputs", Role::viewer).has(R"("comment":"fire drill")"));
  const Reply history = get(std::string{path} + "/orders?limit=5", Role::viewer);
  EXPECT_TRUE(history.has(R"("to":"on")")) << history.body;
  const auto entries = entries_of("output.order");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].event.object, "hq/room1/siren");
  EXPECT_NE(entries[0].event.detail.find("on for 600 s, within 10 s: fire drill"), std::string::npos);
  EXPECT_EQ(entries[1].event.outcome, Outcome::failed);
}

TEST_F(OutputsApi, WhatIsWrongIsSaid) {
  for (const char* body :
       {"", "{}", R"({"to": "up", "comment": "x"})", R"({"to": "on"})", R"({"to": "on", "comment": ""})",
        R"({"to": "on", "comment": "x", "lasting_s": 1})",
        R"({"to": "on", "comment": "x", "lasting_s": 86401})",
        R"({"to": "on", "comment": "x", "lasting_s": "600"})",
        R"({"to": "on", "comment": "x", "within_s": 1})", R"({"to": "on", "comment": "x", "colour": "red"})",
        "{\"to\": \"on\", \"comment\": \"x\\u001b[2J\"}"})
    EXPECT_EQ(select(body).status, 400) << body;
  EXPECT_EQ(select(R"({"to": "on", "comment": ")" + std::string(501, 'x') + R"("})").status, 400);
  for (const char* body : {"", "{}", R"({"selection": 1})", R"({"selection": "1", "to": "on"})"})
    EXPECT_EQ(order(body).status, 400) << body;
  EXPECT_EQ(post("/api/v1/agents/hq/room1/outputs/bell/selections", wish, {bearer(Role::shift_lead)}).status,
            404);
}

TEST_F(OutputsApi, IsForShiftLeadsAndAdministratorsAndNobodyOrdersWhatAnotherSelected) {
  for (const Role role : all_roles) {
    const bool may_switch = role == Role::shift_lead || role == Role::administrator;
    EXPECT_EQ(select(wish, role).status, may_switch ? 201 : 403) << name_of(role);
    EXPECT_EQ(get("/api/v1/outputs", role).status, 200) << name_of(role);
  }
  EXPECT_EQ(order(R"({"selection": "1"})", Role::operator_).status, 403);
  EXPECT_EQ(order(R"({"selection": "1"})", Role::administrator).status, 409) << "a shift lead selected it";
  EXPECT_EQ(order(R"({"selection": "1"})", Role::shift_lead).status, 202);
}

}  // namespace
}  // namespace watchroom::aggregator
