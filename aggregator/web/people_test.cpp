// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Passwords that must be changed, one-time codes, tokens with limits, users over REST.
#include "aggregator/identity/first_administrator.hpp"
#include "aggregator/identity/totp.hpp"
#include "aggregator/web/routes.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view other_password = "another battery staple";

class People : public ServedRoom {
 protected:
  void edit(const std::function<void(UsersFile&)>& change) {
    ASSERT_TRUE(edit_users_file(folder / "users.toml", [&](UsersFile& file) -> Result<void> {
      change(file);
      return {};
    }));
    users.reread_if_changed();
  }
  void edit_user(const std::string& name, const std::function<void(UserEntry&)>& change) {
    edit([&](UsersFile& file) {
      for (UserEntry& user : file.users)
        if (user.name == name) change(user);
    });
  }
  Reply send(const std::string& method, const std::string& path, const std::string& body,
             const std::string& proof) const {
    Ask ask{.method = method, .path = path, .headers = {proof}, .body = body};
    if (!body.empty()) ask.headers.push_back("Content-Type: application/json");
    return call(ask);
  }
  Reply change_password(const std::string& cookie, std::string_view before, std::string_view after) const {
    return send("PUT", "/api/v1/session/password", fmt::format(R"({{"old":"{}","new":"{}"}})", before, after),
                cookie);
  }
  Reply log_in_with(const std::string& name, const std::string& code) const {
    return post("/api/v1/session",
                fmt::format(R"({{"name":"{}","password":"{}","code":"{}"}})", name, test_password, code), {});
  }
  static std::string type_of(const Reply& reply) {
    return Json::parse(reply.body)["type"].get<std::string>();
  }
};

TEST_F(People, WhoMustChangeThePasswordCanDoNothingElse) {
  edit_user("administrator", [](UserEntry& user) { user.must_change_password = true; });
  const Reply reply = log_in("administrator");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(Json::parse(reply.body)["must_change_password"], true);
  const std::string set = reply.headers.at("set-cookie");
  const std::string cookie = "Cookie: " + set.substr(0, set.find(';'));
  for (const Route& route : routes()) {
    if (route.entry != Entry::by_action) continue;
    Ask ask{.method = std::string{route.method}, .path = std::string{route.pattern}};
    for (const auto* place : {"{id}", "{site}", "{agent}", "{device}", "{user}"})
      if (const auto at = ask.path.find(place); at != std::string::npos)
        ask.path.replace(at, std::string_view{place}.size(), "12");
    if (route.body_example) ask.headers.push_back("Content-Type: application/json");
    if (route.body_example) ask.body = to_text(route.body_example());
    for (const std::string& proof : {cookie, bearer(Role::administrator)}) {
      ask.headers.push_back(proof);
      const Reply refused = call(ask);
      ask.headers.pop_back();
      EXPECT_EQ(refused.status, 403) << route.method << " " << route.pattern;
      EXPECT_TRUE(refused.has("password_change_needed")) << refused.body;
    }
  }
  const Reply changed = change_password(cookie, test_password, other_password);
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(Json::parse(changed.body)["must_change_password"], false);
  const std::string fresh = changed.headers.at("set-cookie");
  EXPECT_EQ(
      call({.path = "/api/v1/users", .headers = {"Cookie: " + fresh.substr(0, fresh.find(';'))}}).status,
      200);
  EXPECT_EQ(call({.path = "/api/v1/session", .headers = {cookie}}).status, 401)
      << "the old session has ended";
  EXPECT_EQ(log_in("administrator").status, 401);
  EXPECT_EQ(log_in("administrator", other_password).status, 200);
}

TEST_F(People, APasswordIsChangedOnlyWithTheOldOneAndToAGoodOne) {
  const std::string cookie = cookie_of("viewer");
  EXPECT_EQ(type_of(change_password(cookie, "not the password", other_password)),
            "urn:watchroom:problem:wrong_password");
  EXPECT_EQ(change_password(cookie, test_password, "short").status, 400);
  EXPECT_EQ(change_password(cookie, test_password, test_password).status, 400);
  EXPECT_EQ(send("PUT", "/api/v1/session/password", "[]", cookie).status, 400);
  EXPECT_EQ(change_password(bearer(Role::viewer), test_password, other_password).status, 400)
      << "no token may";
  EXPECT_EQ(change_password("X: y", test_password, other_password).status, 401);
  EXPECT_EQ(log_in("viewer").status, 200) << "nothing was changed";
  EXPECT_EQ(change_password(cookie, test_password, other_password).status, 200);
}

TEST_F(People, GuessingTheOldPasswordWithAStolenSessionIsSlowedDown) {
  const std::string cookie = cookie_of("viewer");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(change_password(cookie, "wrong wrong", other_password).status, 403);
  EXPECT_EQ(change_password(cookie, test_password, other_password).status, 429);
}

TEST_F(People, TheFirstAdministratorsFileGoesWithThePassword) {
  std::filesystem::remove(folder / "users.toml");
  ASSERT_TRUE(*make_first_administrator(folder / "users.toml"));
  users.reread_if_changed();
  const std::string password = *read_secret(first_password_file(folder / "users.toml"));
  const Reply reply = log_in("admin", password);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const std::string set = reply.headers.at("set-cookie");
  ASSERT_EQ(change_password("Cookie: " + set.substr(0, set.find(';')), password, other_password).status, 200);
  EXPECT_FALSE(std::filesystem::exists(first_password_file(folder / "users.toml")));
}

TEST_F(People, WhoHasOneTimeCodesNeedsOneAndEachCountsOnce) {
  const std::string secret = new_totp_secret();
  edit_user("operator", [&](UserEntry& user) { user.totp = secret; });
  const auto code = [&](int steps = 0) { return totp_code(secret, totp_step(clock.now()) + steps); };
  EXPECT_EQ(type_of(log_in("operator")), "urn:watchroom:problem:code_needed");
  EXPECT_EQ(type_of(log_in("operator", "wrong wrong")), "urn:watchroom:problem:wrong_log_in")
      << "that a code is needed is told only to who knows the password";
  EXPECT_EQ(log_in_with("operator", "000000").status, 401);
  EXPECT_EQ(log_in_with("operator", code(3)).status, 401);
  const std::string now = code();
  EXPECT_EQ(log_in_with("operator", now).status, 200);
  EXPECT_EQ(log_in_with("operator", now).status, 401) << "somebody looked over the shoulder";
  clock.advance(30s);
  EXPECT_EQ(log_in_with("operator", code(1)).status, 200) << "the telephone is ahead";
  EXPECT_EQ(log_in("viewer").status, 200) << "others need none";
  EXPECT_EQ(call({.path = "/api/v1/session", .headers = {bearer(Role::operator_)}}).status, 200)
      << "nor tokens";
}

TEST_F(People, GuessingCodesIsSlowedDownLikeGuessingPasswords) {
  edit_user("operator", [&](UserEntry& user) { user.totp = new_totp_secret(); });
  int refused = 0;
  for (int i = 0; i < 20; ++i) refused += log_in_with("operator", fmt::format("{:06}", i)).status == 429;
  EXPECT_EQ(refused, 15);
}

TEST_F(People, AskingForTheCodeInASecondStepIsNoFailure) {
  const std::string secret = new_totp_secret();
  edit_user("operator", [&](UserEntry& user) { user.totp = secret; });
  for (int i = 0; i < 30; ++i)
    ASSERT_EQ(type_of(log_in("operator")), "urn:watchroom:problem:code_needed") << i;
  EXPECT_EQ(log_in_with("operator", totp_code(secret, totp_step(clock.now()))).status, 200);
}

TEST_F(People, ATokenEndsWithItsDay) {
  edit([&](UsersFile& file) {
    for (TokenEntry& token : file.tokens)
      if (token.user == "viewer") token.expires = clock.now() + 1h;
  });
  EXPECT_EQ(get("/api/v1/status").status, 200);
  clock.advance(1h);
  EXPECT_EQ(get("/api/v1/status").status, 401);
}

TEST_F(People, ATokenDoesNoMoreThanItsScopeAndItsRoleAndItsUser) {
  const auto with = [&](const std::function<void(TokenEntry&)>& change) {
    edit([&](UsersFile& file) {
      for (TokenEntry& token : file.tokens)
        if (token.user == "operator") token = {"test", "operator", token.sha256}, change(token);
    });
  };
  const std::string path = "/api/v1/alarms/99/acknowledge", proof = bearer(Role::operator_);
  EXPECT_EQ(post(path, "{}", {proof}).status, 404);
  with([](TokenEntry& token) { token.actions = {Action::view}; });
  EXPECT_EQ(post(path, "{}", {proof}).status, 403);
  EXPECT_EQ(get("/api/v1/points", Role::operator_).status, 200);
  with([](TokenEntry& token) { token.actions = {Action::acknowledge}; });
  EXPECT_EQ(post(path, "{}", {proof}).status, 404);
  EXPECT_EQ(get("/api/v1/points", Role::operator_).status, 403);
  with([](TokenEntry& token) { token.role = Role::viewer; });
  EXPECT_EQ(post(path, "{}", {proof}).status, 403);
  with([](TokenEntry& token) { token.role = Role::administrator; });
  EXPECT_EQ(get("/api/v1/users", Role::operator_).status, 403) << "no higher than its user";
}

TEST_F(People, AnAdministratorAddsChangesAndRemovesUsersOverRest) {
  const std::string proof = bearer(Role::administrator);
  const Reply added =
      send("POST", "/api/v1/users", R"({"name":"李雷","role":"operator","domains":["site:hq"]})", proof);
  ASSERT_EQ(added.status, 201) << added.body;
  const Json user = Json::parse(added.body);
  EXPECT_EQ(user["domains"], Json({"site:hq"}));
  EXPECT_EQ(user["must_change_password"], true);
  EXPECT_EQ(log_in("李雷", user["password"].get<std::string>()).status, 200);
  EXPECT_EQ(send("POST", "/api/v1/users", R"({"name":"李雷","role":"viewer"})", proof).status, 409);

  const std::string path = "/api/v1/users/%E6%9D%8E%E9%9B%B7";
  const Reply changed = send("PUT", path, R"({"role":"shift_lead","domains":null})", proof);
  EXPECT_EQ(Json::parse(changed.body)["role"], "shift_lead");
  EXPECT_TRUE(Json::parse(changed.body)["domains"].is_null());
  const Reply reset = send("POST", path + "/password", "", proof);
  ASSERT_EQ(reset.status, 200) << reset.body;
  EXPECT_EQ(log_in("李雷", user["password"].get<std::string>()).status, 401);
  EXPECT_EQ(log_in("李雷", Json::parse(reset.body)["password"].get<std::string>()).status, 200);
  EXPECT_EQ(send("DELETE", path + "/totp", "", proof).status, 204);

  const Json listed = Json::parse(get("/api/v1/users", Role::administrator).body)["users"];
  EXPECT_EQ(listed.size(), all_roles.size() + 1);
  EXPECT_FALSE(get("/api/v1/users", Role::administrator).has("argon2")) << "no secrets";
  EXPECT_FALSE(listed[3]["tokens"][0]["last_used_at"].is_null()) << listed[3];
  EXPECT_EQ(send("DELETE", path, "", proof).status, 204);
  EXPECT_EQ(send("DELETE", path, "", proof).status, 404);

  std::vector<std::string> told;
  for (const auto* action : {"user.add", "user.change", "user.remove"})
    for (const AuditEntry& entry : entries_of(action)) {
      EXPECT_EQ(entry.event.who, "token administrator/test");
      EXPECT_EQ(entry.event.object, "user 李雷");
      EXPECT_EQ(entry.event.detail.find(user["password"].get<std::string>()), std::string::npos);
      if (entry.event.outcome == Outcome::done) told.push_back(entry.event.detail);
    }
  EXPECT_EQ(told, (std::vector<std::string>{"operator, site:hq",
                                            "role operator to shift_lead; domains site:hq to everything",
                                            "another password", "shift_lead, everything"}));
}

TEST_F(People, AnAdministratorMakesAndEndsTokensOverRest) {
  const std::string proof = bearer(Role::administrator), path = "/api/v1/users/operator/tokens";
  const Reply made =
      send("POST", path, R"({"name":"grafana","role":"viewer","actions":["view"],"days":7})", proof);
  ASSERT_EQ(made.status, 201) << made.body;
  const Json token = Json::parse(made.body);
  EXPECT_EQ(token["expires_at"], to_rfc3339(clock.now() + 7 * 24h));
  const std::string text = token["token"].get<std::string>(), with = "Authorization: Bearer " + text;
  EXPECT_EQ(call({.path = "/api/v1/points", .headers = {with}}).status, 200);
  EXPECT_EQ(post("/api/v1/alarms/12/acknowledge", "{}", {with}).status, 403);
  const Reply listed = get("/api/v1/users", Role::administrator);
  EXPECT_TRUE(listed.has("grafana"));
  EXPECT_FALSE(listed.has(text) || listed.has(sha256_hex(text))) << "no secrets";
  EXPECT_EQ(send("POST", path, R"({"name":"grafana"})", proof).status, 409);
  EXPECT_EQ(send("DELETE", path + "/grafana", "", proof).status, 204);
  EXPECT_EQ(send("DELETE", path + "/grafana", "", proof).status, 404);
  EXPECT_EQ(call({.path = "/api/v1/points", .headers = {with}}).status, 401);
  const auto added = entries_of("token.add");
  ASSERT_FALSE(added.empty());
  EXPECT_EQ(added.front().event.object, "token operator/grafana");
  for (const AuditEntry& entry : added) EXPECT_EQ(entry.event.detail.find(text), std::string::npos);
  EXPECT_EQ(entries_of("token.remove").front().event.who, "token administrator/test");
}

TEST_F(People, ATokenHasAnEndAndGivesNoMoreThanItsUserHas) {
  const std::string proof = bearer(Role::administrator), path = "/api/v1/users/operator/tokens";
  const auto before = users.content().tokens.size();
  for (const std::string body :
       {R"([])", R"({})", R"({"name":" x"})", R"({"name":"x","days":0})", R"({"name":"x","days":3651})",
        R"({"name":"x","days":"7"})", R"({"name":"x","days":null})", R"({"name":"x","actions":[]})",
        R"({"name":"x","actions":["fly"]})", R"({"name":"x","domains":["hq"]})", R"({"name":"x","role":1})",
        R"({"name":"x","role":"administrator"})", R"({"name":"x","role":"auditor"})",
        R"({"name":"x","actions":["manage_users"]})", R"({"name":"x","expires":"never"})"})
    EXPECT_EQ(send("POST", path, body, proof).status, 400) << body;
  EXPECT_EQ(users.content().tokens.size(), before);
  EXPECT_EQ(Json::parse(send("POST", path, R"({"name":"x"})", proof).body)["expires_at"],
            to_rfc3339(clock.now() + 90 * 24h));
}

TEST_F(People, ATokenForUsersOnlyDoesNotMakeItselfOneForEverything) {
  edit([&](UsersFile& file) {
    for (TokenEntry& token : file.tokens)
      if (token.user == "administrator") token.actions = {Action::manage_users};
  });
  const std::string proof = bearer(Role::administrator), path = "/api/v1/users/administrator/tokens";
  EXPECT_EQ(send("POST", path, R"({"name":"x"})", proof).status, 400);
  EXPECT_EQ(send("POST", path, R"({"name":"x","actions":["manage_users"]})", proof).status, 201);
}

TEST_F(People, ATokenForUsersOnlyNeitherMakesNorBecomesSomebodyWhoMayEverything) {
  edit([&](UsersFile& file) {
    for (TokenEntry& token : file.tokens)
      if (token.user == "administrator") token.actions = {Action::view, Action::manage_users};
  });
  const std::string proof = bearer(Role::administrator);
  EXPECT_EQ(send("POST", "/api/v1/users", R"({"name":"x","role":"administrator"})", proof).status, 400);
  EXPECT_EQ(send("PUT", "/api/v1/users/viewer", R"({"role":"shift_lead"})", proof).status, 400);
  EXPECT_EQ(send("POST", "/api/v1/users/administrator/password", "", proof).status, 400);
  EXPECT_EQ(send("DELETE", "/api/v1/users/administrator/totp", "", proof).status, 403);
  EXPECT_EQ(log_in("administrator").status, 200) << "the password is the old one";
  EXPECT_EQ(users.content().users.size(), all_roles.size());
  EXPECT_EQ(send("POST", "/api/v1/users", R"({"name":"x","role":"viewer"})", proof).status, 201);
  EXPECT_EQ(send("POST", "/api/v1/users/viewer/password", "", proof).status, 200);
}

TEST_F(People, NonsenseAboutUsersIsRefusedAndChangesNothing) {
  const std::string proof = bearer(Role::administrator);
  for (const std::string body :
       {"", "[]", "{}", R"({"name":"x"})", R"({"name":"x","role":"emperor"})",
        R"({"name":" x","role":"viewer"})", R"({"name":"x\u001b[31m","role":"viewer"})",
        R"({"name":"x","role":"viewer","domains":[]})", R"({"name":"x","role":"viewer","domains":["hq"]})",
        R"({"name":"x","role":"viewer","admin":true})", R"({"name":1,"role":"viewer"})"})
    EXPECT_GE(send("POST", "/api/v1/users", body, proof).status, 400) << body;
  EXPECT_EQ(users.content().users.size(), all_roles.size());
}

TEST_F(People, TheLastAdministratorStaysOne) {
  const std::string proof = bearer(Role::administrator), path = "/api/v1/users/administrator";
  EXPECT_EQ(send("DELETE", path, "", proof).status, 409);
  EXPECT_EQ(send("PUT", path, R"({"role":"viewer"})", proof).status, 409);
  EXPECT_EQ(send("PUT", path, R"({"role":"administrator","domains":["site:hq"]})", proof).status, 409);
  EXPECT_EQ(get("/api/v1/users", Role::administrator).status, 200);
}

}  // namespace
}  // namespace watchroom::aggregator
