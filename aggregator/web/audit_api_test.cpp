// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What people do over the web is written down, and can be read there.
#include "aggregator/identity/totp.hpp"
#include "aggregator/web/room_json.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class AuditOverRest : public ServedRoom {
 protected:
  Json read(const std::string& query = "") const {
    return Json::parse(get("/api/v1/audit" + query, Role::auditor).body);
  }
};

TEST_F(AuditOverRest, LogInsLogOutsAndRefusedLogInsAreEntriesWithoutPasswords) {
  const std::string cookie = cookie_of("operator");
  (void)log_in("operator", "not the password");
  for (int i = 0; i < 8; ++i) (void)log_in("viewer", "not the password");
  EXPECT_EQ(call({.method = "DELETE", .path = "/api/v1/session", .headers = {cookie}}).status, 204);
  const auto opened = entries_of("session.open");
  ASSERT_EQ(opened.size(), 1u + 1u + 5u + 1u) << "those that were throttled are one entry";
  EXPECT_EQ(opened[0].event.who, "operator");
  EXPECT_EQ(opened[0].event.from, "127.0.0.1");
  EXPECT_EQ(opened[0].event.outcome, Outcome::done);
  EXPECT_EQ(opened[1].event.outcome, Outcome::refused);
  EXPECT_EQ(opened[1].event.detail, "wrong name or password");
  EXPECT_NE(opened[7].event.detail.find("too many failures"), std::string::npos) << opened[7].event.detail;
  ASSERT_EQ(entries_of("session.close").size(), 1u);
  const std::string all = get("/api/v1/audit", Role::auditor).body;
  EXPECT_EQ(all.find("not the password"), std::string::npos);
  EXPECT_EQ(all.find(test_password), std::string::npos);
}

TEST_F(AuditOverRest, AMissingAndAWrongOneTimeCodeAreEntriesOfTheirOwn) {
  const std::string secret = new_totp_secret();
  ASSERT_TRUE(users.edit("test", "", [&](UsersFile& file) -> Result<void> {
    for (UserEntry& user : file.users) user.totp = secret;
    return {};
  }));
  (void)log_in("operator");
  (void)post("/api/v1/session",
             fmt::format(R"({{"name":"operator","password":"{}","code":"1"}})", test_password), {});
  const auto entries = entries_of("session.open");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].event.detail, "the password is right, the one-time code is missing");
  EXPECT_EQ(entries[1].event.detail, "the password is right, the one-time code is not");
}

TEST_F(AuditOverRest, ARefusalIsAnEntryAndAHundredOfThemAreOneAMinute) {
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(post("/api/v1/alarms/12/acknowledge", "{}", {bearer(Role::viewer)}).status, 403);
  clock.advance(61s);
  EXPECT_EQ(post("/api/v1/alarms/12/acknowledge", "{}", {bearer(Role::viewer)}).status, 403);
  const auto entries = entries_of("request.refuse");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].event.who, "token viewer/test");
  EXPECT_EQ(entries[0].event.object, "POST /api/v1/alarms/12/acknowledge");
  EXPECT_EQ(entries[0].event.outcome, Outcome::refused);
  EXPECT_NE(entries[1].event.detail.find("99 more"), std::string::npos) << entries[1].event.detail;
}

TEST_F(AuditOverRest, AForgedOrRevokedProofIsAnEntryAMinuteWithoutTheSecret) {
  const std::string forged(64, '7');
  for (int i = 0; i < 50; ++i)
    for (const std::string& proof : {"Authorization: Bearer wr_" + forged, "Cookie: wr_session=" + forged})
      EXPECT_EQ(call({.path = "/api/v1/points", .headers = {proof}}).status, 401);
  EXPECT_EQ(call({.path = "/api/v1/points"}).status, 401) << "who claims nothing is no entry";
  clock.advance(61s);
  EXPECT_EQ(call({.path = "/api/v1/status", .headers = {"Authorization: Bearer wr_" + forged}}).status, 401);
  const auto entries = entries_of("request.refuse");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].event.who, "unknown");
  EXPECT_EQ(entries[0].event.from, "127.0.0.1");
  EXPECT_EQ(entries[0].event.object, "GET /api/v1/points");
  EXPECT_EQ(entries[0].event.outcome, Outcome::refused);
  EXPECT_NE(entries[1].event.detail.find("99 more"), std::string::npos) << entries[1].event.detail;
  EXPECT_EQ(get("/api/v1/audit", Role::auditor).body.find(forged), std::string::npos);
}

TEST_F(AuditOverRest, AskingForWhatIsOutsideOnesDomainsIsAnEntry) {
  const std::string token = new_token();
  ASSERT_TRUE(edit_users_file(folder / "users.toml", [&](UsersFile& file) -> Result<void> {
    TokenEntry entry{"south", "operator", sha256_hex(token)};
    entry.domains = {"site:south"};
    file.tokens.push_back(entry);
    return {};
  }));
  users.reread_if_changed();
  const std::string proof = "Authorization: Bearer " + token;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(
        call({.path = "/api/v1/points/samples?id=hq/room1/leak1/leak.state", .headers = {proof}}).status,
        404);
  EXPECT_EQ(call({.path = "/api/v1/agents/hq/room1/outputs/siren/orders", .headers = {proof}}).status, 404);
  EXPECT_EQ(post("/api/v1/alarms/12/acknowledge", "{}", {proof}).status, 404);
  const auto entries = entries_of("request.refuse");
  ASSERT_EQ(entries.size(), 2u) << "one of GET, one of POST";
  EXPECT_EQ(entries[0].event.who, "token operator/south");
  EXPECT_EQ(entries[0].event.object, "GET /api/v1/points/samples");
  EXPECT_EQ(entries[1].event.object, "POST /api/v1/alarms/12/acknowledge");
}

TEST_F(AuditOverRest, AnsweringAnAlarmAndChangingAClassAreEntriesWhateverBecomesOfThem) {
  EXPECT_EQ(
      post("/api/v1/alarms/12/acknowledge", R"({"comment":"马上到"})", {bearer(Role::operator_)}).status,
      200);
  EXPECT_EQ(post("/api/v1/alarms/12/acknowledge", "{}", {bearer(Role::operator_)}).status, 409);
  EXPECT_EQ(call({.method = "PUT",
                  .path = "/api/v1/devices/hq/room1/ups1/class",
                  .headers = {bearer(Role::operator_), "Content-Type: application/json"},
                  .body = R"({"class":"core"})"})
                .status,
            404);
  const auto answers = entries_of("alarm.acknowledge");
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].event.detail, "马上到");
  EXPECT_EQ(answers[0].event.outcome, Outcome::done);
  EXPECT_EQ(answers[1].event.outcome, Outcome::failed);
  const auto classes = entries_of("device.set_class");
  ASSERT_EQ(classes.size(), 1u);
  EXPECT_EQ(classes[0].event.object, "hq/room1/ups1");
}

TEST_F(AuditOverRest, AChangeOfTheUsersFileByHandIsAnEntryWithoutSecrets) {
  ASSERT_TRUE(edit_users_file(folder / "users.toml", [](UsersFile& file) -> Result<void> {
    file.users[1].role = Role::administrator;
    file.users[1].password = cheap_hash("some other password");
    std::erase_if(file.tokens, [](const TokenEntry& token) { return token.user == "viewer"; });
    return {};
  }));
  users.reread_if_changed();
  const auto changes = entries_of("user.change");
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].event.who, "users file");
  EXPECT_EQ(changes[0].event.object, "user operator");
  EXPECT_EQ(changes[0].event.detail, "role operator to administrator; another password");
  EXPECT_EQ(entries_of("token.remove").size(), 1u);
}

TEST_F(AuditOverRest, ItIsReadInPagesThatVerify) {
  for (int i = 0; i < 30; ++i)
    audit.record({.who = "li", .action = "test.test", .object = std::to_string(i)});
  (void)entries_of("test.test");
  ChainCheck check{ChainCheck::Begins::at_one};
  std::int64_t after = 0;
  for (Json page = read("?after=0&limit=7"); !page["entries"].empty();
       page = read(fmt::format("?after={}&limit=7", after)))
    for (const Json& entry : page["entries"]) {
      check.take(*entry_from_json(entry.dump()));
      after = entry["number"].get<std::int64_t>();
    }
  EXPECT_TRUE(check.is_intact());
  EXPECT_EQ(check.entries(), 30u);
  EXPECT_EQ(read()["head"]["number"], 30);
  EXPECT_EQ(read()["head"]["hash"], check.head()->hash);
  EXPECT_EQ(read("?limit=3")["entries"][0]["number"], 28) << "without `after` the newest";
  EXPECT_EQ(read("?before=3&limit=1")["entries"][0]["number"], 2);
  for (const auto* wrong : {"?after=x", "?limit=0", "?limit=2001", "?since=yesterday", "?before=-1"})
    EXPECT_EQ(get(std::string{"/api/v1/audit"} + wrong, Role::auditor).status, 400) << wrong;
}

TEST_F(AuditOverRest, ItsFiguresAreInTheMetrics) {
  audit.record({.who = "li", .action = "test.test"});
  (void)entries_of("test.test");
  const Reply reply = get("/metrics");
  EXPECT_TRUE(reply.has("watchroom_audit_entries_total 1\n")) << reply.body;
  EXPECT_TRUE(reply.has("watchroom_audit_failing 0\n"));
}

}  // namespace
}  // namespace watchroom::aggregator
