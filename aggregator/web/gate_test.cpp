// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/gate.hpp"

#include "aggregator/web/room_json.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class GateTest : public ServedRoom {
 protected:
  /// Polls until the answer to GET /session has this status.
  bool session_becomes(long status, const std::string& proof) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline)
      if (call({.path = "/api/v1/session", .headers = {proof}}).status == status) return true;
    return false;
  }
};

TEST_F(GateTest, ALogInOpensASessionInACookieThatScriptsAndOtherSitesCannotUse) {
  const Reply reply = log_in("operator");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json body = Json::parse(reply.body);
  EXPECT_EQ(body["user"], "operator");
  EXPECT_EQ(body["role"], "operator");
  EXPECT_EQ(body["expires_at"], to_rfc3339(clock.now() + 12h));
  const std::string& cookie = reply.headers.at("set-cookie");
  for (const auto part : {"wr_session=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=43200"})
    EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
  const Reply who =
      call({.path = "/api/v1/session", .headers = {"Cookie: a=b; " + cookie.substr(0, cookie.find(';'))}});
  EXPECT_EQ(Json::parse(who.body)["user"], "operator");
}

TEST_F(GateTest, AWrongPasswordAndAnUnknownNameGetTheSameAnswer) {
  const Reply wrong = log_in("operator", "not the password"), unknown = log_in("nobody", "not the password");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(wrong.headers.count("set-cookie"), 0u);
}

TEST_F(GateTest, GuessingIsSlowedDownAndTimeOpensTheDoorAgain) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(log_in("operator", "wrong wrong").status, 401) << i;
  const Reply refused = log_in("operator");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_TRUE(refused.has("detail_zh"));
  EXPECT_EQ(log_in("viewer").status, 200) << "another name is free";
  clock.advance(1s);
  EXPECT_EQ(log_in("operator", "wrong wrong").status, 401);
  EXPECT_EQ(log_in("operator").headers.at("retry-after"), "2") << "each failure doubles the wait";
  clock.advance(2s);
  EXPECT_EQ(log_in("operator").status, 200);
  EXPECT_EQ(log_in("operator", "wrong wrong").status, 401) << "a success forgets the failures before it";
}

TEST_F(GateTest, ManyNamesFromOneAddressAreSlowedDownToo) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(log_in(fmt::format("name{}", i), "wrong wrong").status, 401);
  EXPECT_EQ(log_in("viewer").status, 429);
}

TEST_F(GateTest, RefusedLogInsAreCountedWhetherTheyWereLookedAtOrHeldUp) {
  EXPECT_EQ(log_in("viewer").status, 200);
  EXPECT_EQ(refusals.lately().count, 0u);
  for (int i = 0; i < 21; ++i) EXPECT_NE(log_in("operator", "wrong wrong").status, 200);
  const Refusals told = refusals.lately();
  EXPECT_EQ(told.count, 21u);
  EXPECT_EQ(told.addresses, 1u);
  EXPECT_EQ(told.last_name, "operator");
  EXPECT_EQ(told.last_address, "127.0.0.1");
}

TEST_F(GateTest, GuessedTokensAreCountedAndOneThatEndedIsOne) {
  for (int i = 0; i < 30; ++i)
    EXPECT_EQ(call({.path = "/api/v1/points", .headers = {"Authorization: Bearer ended"}}).status, 401);
  EXPECT_EQ(call({.path = "/api/v1/points"}).status, 401);
  EXPECT_EQ(refusals.lately().count, 1u);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(
        call({.path = "/api/v1/points", .headers = {fmt::format("Authorization: Bearer wr_{}", i)}}).status,
        401);
  EXPECT_EQ(refusals.lately().count, 6u);
}

TEST_F(GateTest, LoggingOutEndsTheSession) {
  const std::string cookie = cookie_of("viewer");
  EXPECT_EQ(call({.method = "DELETE", .path = "/api/v1/session", .headers = {cookie}}).status, 204);
  EXPECT_EQ(call({.path = "/api/v1/session", .headers = {cookie}}).status, 401);
}

TEST_F(GateTest, ASessionEndsAfterItsTimeHoweverBusy) {
  const std::string cookie = cookie_of("viewer");
  for (int hour = 0; hour < 11; ++hour) {
    clock.advance(1h);
    EXPECT_EQ(call({.path = "/api/v1/session", .headers = {cookie}}).status, 200) << hour;
  }
  clock.advance(1h);
  EXPECT_EQ(call({.path = "/api/v1/session", .headers = {cookie}}).status, 401);
}

TEST_F(GateTest, AnIdleSessionEndsEarlier) {
  const std::string cookie = cookie_of("viewer");
  clock.advance(2h);
  EXPECT_EQ(call({.path = "/api/v1/session", .headers = {cookie}}).status, 401);
}

TEST_F(GateTest, AStepOfTheWallClockEndsNoSession) {
  const std::string cookie = cookie_of("viewer");
  clock.jump_wall(48h);
  EXPECT_EQ(call({.path = "/api/v1/session", .headers = {cookie}}).status, 200);
}

TEST_F(GateTest, RemovingAUserEndsSessionAndTokenWithoutARestart) {
  const std::string cookie = cookie_of("operator");
  UsersFile rest;
  rest.users = {{"viewer", Role::viewer, cheap_hash(test_password)},
                {"administrator", Role::administrator, cheap_hash(test_password)}};
  ASSERT_TRUE(replace_users(rest));
  EXPECT_TRUE(session_becomes(401, cookie));
  EXPECT_TRUE(session_becomes(401, bearer(Role::operator_)));
}

TEST_F(GateTest, ANewPasswordEndsTheSessionsOfTheOldOne) {
  const std::string cookie = cookie_of("operator");
  ASSERT_TRUE(edit_users_file(folder / "users.toml", [](UsersFile& file) -> Result<void> {
    for (UserEntry& user : file.users) user.password = cheap_hash("another password");
    return {};
  }));
  EXPECT_TRUE(session_becomes(401, cookie));
  EXPECT_EQ(log_in("operator", "another password").status, 200);
}

TEST_F(GateTest, ABrokenUsersFileKeepsThePeopleKnownBefore) {
  folder.write("users.toml", "[[user]]\nname = \"operator\"\nrole = \"emperor\"\n");
  clock.advance(1min);
  EXPECT_EQ(log_in("operator").status, 200);
}

TEST_F(GateTest, AnotherSiteCannotUseTheCookieOfOurs) {
  const std::string cookie = cookie_of("operator");
  const std::string path = "/api/v1/alarms/12/acknowledge";
  EXPECT_EQ(post(path, "{}", {cookie, "Origin: https://evil.example"}).status, 403);
  EXPECT_EQ(post(path, "{}", {cookie, "Origin: null"}).status, 403);
  EXPECT_EQ(post(path, "{}", {cookie, "Origin: http://127.0.0.1:" + std::to_string(server->port())}).status,
            403);
  EXPECT_EQ(post(path, "{}", {cookie, "Sec-Fetch-Site: cross-site"}).status, 403);
  EXPECT_EQ(call({.method = "DELETE",
                  .path = "/api/v1/session",
                  .headers = {cookie, "Origin: https://evil.example"}})
                .status,
            403);
  EXPECT_EQ(
      post("/api/v1/session", R"({"name":"viewer","password":"x"})", {"Origin: https://evil.example"}).status,
      403);
  EXPECT_EQ(post(path, R"({"comment":"on my way"})", {cookie, "Origin: " + url()}).status, 200);
}

TEST_F(GateTest, WhoeverAcknowledgesIsTheOneWhoIsLoggedIn) {
  const Reply reply = post("/api/v1/alarms/12/acknowledge", R"({"comment":"马上到","by":"somebody else"})",
                           {bearer(Role::shift_lead)});
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json alarm = Json::parse(reply.body);
  EXPECT_EQ(alarm["acknowledged_by"], "shift_lead");
  EXPECT_EQ(alarm["comment"], "马上到");
  EXPECT_EQ(alarm["state"], "acknowledged");
}

}  // namespace
}  // namespace watchroom::aggregator
