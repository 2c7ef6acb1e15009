// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/api.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

class Identities : public ServedRoom {
 protected:
  Reply send(const std::string& what, const std::string& body, Role role = Role::administrator) const {
    return post("/api/v1/agents/hq/room1/" + what, body, {bearer(role)});
  }
};

TEST_F(Identities, AreShownToWhoeverMayLook) {
  const Json all = Json::parse(get("/api/v1/identities").body)["identities"];
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["state"], "valid");
  EXPECT_EQ(all[0]["common_name"], "hq.room1");
  EXPECT_TRUE(all[0]["revoked_at"].is_null());
}

TEST_F(Identities, AnInvitationSaysWhoAskedAndIsForAMonthAtMost) {
  const Reply reply = send("invitation", R"({"hours":24})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["token"], "wre1.token");
  EXPECT_EQ(identities.asked().name, "token administrator/test");
  EXPECT_EQ(identities.asked().address, "127.0.0.1");
  for (const char* body : {R"({"hours":0})", R"({"hours":721})", R"({"hours":"24"})", R"({"hours":1,"x":1})",
                           "[]", "7", "{}", ""})
    EXPECT_EQ(send("invitation", body).status, 400) << body;
}

TEST_F(Identities, ARevocationNeedsAReason) {
  for (const std::string& body :
       {std::string{"{}"}, std::string{R"({"reason":""})"}, R"({"reason":")" + std::string(501, 'x') + "\"}"})
    EXPECT_EQ(send("revocation", body).status, 400) << body;
  EXPECT_EQ(send("revocation", R"({"reason":"x"})", Role::shift_lead).status, 403);
  const Reply reply = send("revocation", R"({"reason":"stolen"})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["state"], "revoked");
  EXPECT_EQ(
      post("/api/v1/agents/hq/room9/revocation", R"({"reason":"x"})", {bearer(Role::administrator)}).status,
      404);
  const auto tried = entries_of("agent.revoke");
  ASSERT_EQ(tried.size(), 1u) << "what was only tried is in the audit log, too";
  EXPECT_EQ(tried[0].event.object, "hq/room9");
  EXPECT_EQ(tried[0].event.outcome, Outcome::failed);
}

}  // namespace
}  // namespace watchroom::aggregator
