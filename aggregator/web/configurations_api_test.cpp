// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

class ConfigurationsApi : public ServedRoom {
 protected:
  static constexpr const char* path = "/api/v1/agents/hq/room1/configuration";
  Reply put(const std::string& body, Role role = Role::administrator) {
    return call({.method = "PUT",
                 .path = path,
                 .headers = {bearer(role), "Content-Type: application/json"},
                 .body = body});
  }
};

TEST_F(ConfigurationsApi, OneThatIsGivenIsKeptShownAndAudited) {
  EXPECT_EQ(get(path, Role::administrator).status, 404);
  const Reply given = put(R"({"text": "# sensors\n", "comment": "new sensors"})");
  EXPECT_EQ(given.status, 202) << given.body;
  EXPECT_TRUE(given.has(R"("progress":"sent")")) << given.body;
  const Reply shown = get(path, Role::administrator);
  EXPECT_EQ(shown.status, 200);
  EXPECT_TRUE(shown.has(R"("comment":"new sensors")")) << shown.body;
  put(R"({"text": "# more\n"})");
  const Reply history = get(std::string{path} + "s?limit=1", Role::administrator);
  EXPECT_TRUE(history.has("# more")) << history.body;
  EXPECT_FALSE(history.has("# sensors")) << history.body;
  const auto entries = entries_of("agent.configure");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].event.object, "hq/room1");
  EXPECT_NE(entries[0].event.detail.find("new sensors"), std::string::npos) << entries[0].event.detail;
}

TEST_F(ConfigurationsApi, WhatIsWrongIsSaidAndKeepsNothing) {
  for (const char* body :
       {"", "{}", R"({"text": 7})", R"({"text": "", "colour": "red"})", R"({"text": "", "comment": 1})"})
    EXPECT_EQ(put(body).status, 400) << body;
  const Reply refused = put(R"({"text": "["})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.has("configuration:1")) << refused.body;
  EXPECT_EQ(put(R"({"text": "", "comment": ")" + std::string(2'001, 'x') + R"("})").status, 400);
  EXPECT_EQ(get(path, Role::administrator).status, 404);
}

TEST_F(ConfigurationsApi, IsForAdministratorsOnly) {
  for (const Role role : all_roles)
    if (role != Role::administrator) {
      EXPECT_EQ(get(path, role).status, 403) << name_of(role);
      EXPECT_EQ(put(R"({"text": ""})", role).status, 403) << name_of(role);
    }
}

}  // namespace
}  // namespace watchroom::aggregator
