// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// A person's own one-time codes over REST: on in two steps, off by password and code.
#include "aggregator/identity/totp.hpp"
#include "aggregator/web/room_json.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class OwnTotp : public ServedRoom {
 protected:
  Reply send(const std::string& method, const std::string& proof, const std::string& body = "") const {
    Ask ask{.method = method, .path = "/api/v1/session/totp", .headers = {proof}, .body = body};
    if (!body.empty()) ask.headers.push_back("Content-Type: application/json");
    return call(ask);
  }
  Reply prove(const std::string& method, const std::string& proof, const std::string& code,
              std::string_view password = test_password) const {
    return send(method, proof, fmt::format(R"({{"password":"{}","code":"{}"}})", password, code));
  }
  std::string begun(const std::string& proof) const {
    const Reply reply = send("POST", proof);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.status == 200 ? Json::parse(reply.body)["secret"].get<std::string>() : "";
  }
  /// A secret that is on for "operator", and the cookie that the log-in has afterwards.
  std::pair<std::string, std::string> turned_on() const {
    const std::string cookie = cookie_of("operator"), secret = begun(cookie);
    const Reply reply = prove("PUT", cookie, code(secret));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return {secret, fresh_cookie(reply)};
  }
  static std::string fresh_cookie(const Reply& reply) {
    const auto set = reply.headers.find("set-cookie");
    return set == reply.headers.end() ? "X: y" : "Cookie: " + set->second.substr(0, set->second.find(';'));
  }
  std::string code(const std::string& secret, int steps = 0) const {
    return totp_code(secret, totp_step(clock.now()) + steps);
  }
  long log_in_with(const std::string& code) const {
    return post("/api/v1/session",
                fmt::format(R"({{"name":"operator","password":"{}","code":"{}"}})", test_password, code), {})
        .status;
  }
  long asks(const std::string& proof) const {
    return call({.path = "/api/v1/session", .headers = {proof}}).status;
  }
  static std::string type_of(const Reply& reply) {
    const Json body = Json::parse(reply.body, nullptr, false);
    return body.is_object() ? body.value("type", "") : "";
  }
  std::string totp_of(std::string_view name) const {
    const auto person = users.named(name);
    return person ? person->totp : "";
  }
};

TEST_F(OwnTotp, AreAskedForOnlyOnceACodeConfirmedTheSecret) {
  const std::string cookie = cookie_of("operator"), other = cookie_of("operator");
  const Reply begun = send("POST", cookie);
  ASSERT_EQ(begun.status, 200) << begun.body;
  const Json shown = Json::parse(begun.body);
  const std::string secret = shown["secret"].get<std::string>();
  EXPECT_TRUE(is_totp_secret(secret));
  EXPECT_EQ(shown["uri"], totp_uri("operator", secret));
  EXPECT_EQ(shown["expires_at"], to_rfc3339(clock.now() + 10min));
  EXPECT_EQ(log_in("operator").status, 200) << "nothing is on yet";
  EXPECT_EQ(totp_of("operator"), "");

  const Reply on = prove("PUT", cookie, code(secret));
  ASSERT_EQ(on.status, 200) << on.body;
  EXPECT_EQ(Json::parse(on.body)["has_totp"], true);
  EXPECT_FALSE(on.has(secret));
  EXPECT_EQ(totp_of("operator"), secret);
  EXPECT_EQ(asks(fresh_cookie(on)), 200) << "who turned them on stays logged in";
  EXPECT_EQ(asks(cookie), 401);
  EXPECT_EQ(asks(other), 401) << "the other sessions end";
  EXPECT_EQ(type_of(log_in("operator")), "urn:watchroom:problem:code_needed");
  EXPECT_EQ(log_in_with(code(secret)), 401) << "the code that confirmed is used";
  clock.advance(30s);
  EXPECT_EQ(log_in_with(code(secret)), 200);
}

TEST_F(OwnTotp, WrongPasswordOrCodeTurnNothingOnAndAreSlowedDown) {
  const std::string cookie = cookie_of("operator"), secret = begun(cookie);
  EXPECT_EQ(type_of(prove("PUT", cookie, code(secret), "wrong wrong")),
            "urn:watchroom:problem:wrong_password");
  EXPECT_EQ(type_of(prove("PUT", cookie, code(secret, 3))), "urn:watchroom:problem:wrong_code");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(prove("PUT", cookie, "no").status, 403);
  EXPECT_EQ(prove("PUT", cookie, code(secret)).status, 429);
  EXPECT_EQ(totp_of("operator"), "");
  clock.advance(1min);
  EXPECT_EQ(prove("PUT", cookie, code(secret)).status, 200) << "the secret still waits";
}

TEST_F(OwnTotp, ASecretBelongsToItsSessionAndEndsAfterTenMinutes) {
  const std::string cookie = cookie_of("operator"), other = cookie_of("operator");
  const std::string secret = begun(cookie);
  EXPECT_EQ(prove("PUT", other, code(secret)).status, 409);
  const std::string second = begun(cookie);
  EXPECT_NE(second, secret);
  EXPECT_EQ(type_of(prove("PUT", cookie, code(secret))), "urn:watchroom:problem:wrong_code");
  clock.advance(10min);
  EXPECT_EQ(prove("PUT", cookie, code(second)).status, 409);
  EXPECT_EQ(totp_of("operator"), "");
}

TEST_F(OwnTotp, EndOnlyWithPasswordAndCode) {
  const auto [secret, cookie] = turned_on();
  EXPECT_EQ(send("POST", cookie).status, 409) << "no other secret takes the place of one that is on";
  clock.advance(30s);
  EXPECT_EQ(type_of(prove("DELETE", cookie, code(secret), "wrong wrong")),
            "urn:watchroom:problem:wrong_password");
  EXPECT_EQ(type_of(prove("DELETE", cookie, code(secret, -1))), "urn:watchroom:problem:wrong_code")
      << "it confirmed before";
  EXPECT_EQ(totp_of("operator"), secret);
  const Reply off = prove("DELETE", cookie, code(secret));
  ASSERT_EQ(off.status, 200) << off.body;
  EXPECT_EQ(Json::parse(off.body)["has_totp"], false);
  EXPECT_EQ(asks(cookie), 401);
  EXPECT_EQ(prove("DELETE", fresh_cookie(off), code(secret)).status, 409) << "they are off";
  EXPECT_EQ(log_in("operator").status, 200);
}

TEST_F(OwnTotp, NoTokenMayNorWhoseBrowserIsOnAnotherSite) {
  const std::string token = bearer(Role::operator_);
  EXPECT_EQ(send("POST", token).status, 403);
  EXPECT_EQ(prove("PUT", token, "000000").status, 403);
  EXPECT_EQ(prove("DELETE", token, "000000").status, 403);
  const Reply foreign = call({.method = "POST",
                              .path = "/api/v1/session/totp",
                              .headers = {cookie_of("operator"), "Origin: https://elsewhere.example"}});
  EXPECT_EQ(foreign.status, 403);
  EXPECT_GE(entries_of("request.refuse").size(), 2u);
}

TEST_F(OwnTotp, WhoMustChangeThePasswordDoesThatFirst) {
  ASSERT_TRUE(edit_users_file(folder / "users.toml", [](UsersFile& file) -> Result<void> {
    for (UserEntry& user : file.users) user.must_change_password = user.name == "operator";
    return {};
  }));
  users.reread_if_changed();
  EXPECT_EQ(type_of(send("POST", cookie_of("operator"))), "urn:watchroom:problem:password_change_needed");
}

TEST_F(OwnTotp, NonsenseIsRefusedAndChangesNothing) {
  const std::string cookie = cookie_of("operator");
  begun(cookie);
  for (const std::string body :
       {"", "[]", "{}", R"({"code":"123456"})", R"({"password":"x"})", R"({"password":"x","code":123456})",
        R"({"password":"x","code":"1","secret":"AAAA"})"})
    EXPECT_GE(send("PUT", cookie, body).status, 400) << body;
  EXPECT_EQ(prove("PUT", cookie, std::string(65, '1')).status, 400);
  EXPECT_EQ(totp_of("operator"), "");
}

TEST_F(OwnTotp, EverythingIsWrittenDownAndNeverTheSecret) {
  const auto [secret, cookie] = turned_on();
  clock.advance(30s);
  EXPECT_EQ(prove("DELETE", cookie, "000000").status, 403);
  EXPECT_EQ(prove("DELETE", cookie, code(secret)).status, 200);
  std::vector<std::string> told;
  for (const auto* action : {"session.totp", "user.change"})
    for (const AuditEntry& entry : entries_of(action)) {
      EXPECT_EQ(entry.event.who, "operator");
      EXPECT_EQ(entry.event.detail.find(secret), std::string::npos);
      told.push_back(
          fmt::format("{}{}", entry.event.outcome == Outcome::done ? "" : "no: ", entry.event.detail));
    }
  EXPECT_EQ(told,
            (std::vector<std::string>{"a new secret was shown; it waits for its first code", "turned on",
                                      "no: the password is right, the one-time code is not", "turned off",
                                      "one-time codes on", "one-time codes off"}));
}

TEST_F(OwnTotp, AnAdministratorEndsThoseOfOthersButNotTheirOwnThisWay) {
  const auto [secret, cookie] = turned_on();
  const auto end = [&](const std::string& name) {
    return call({.method = "DELETE",
                 .path = "/api/v1/users/" + name + "/totp",
                 .headers = {cookie_of("administrator")}})
        .status;
  };
  EXPECT_EQ(end("operator"), 204);
  EXPECT_EQ(totp_of("operator"), "");
  EXPECT_EQ(asks(cookie), 401);
  EXPECT_EQ(log_in("operator").status, 200);
  EXPECT_EQ(end("administrator"), 403);
  const auto changes = entries_of("user.change");
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[1].event.who, "administrator");
  EXPECT_EQ(changes[1].event.object, "user operator");
  EXPECT_EQ(changes[1].event.detail, "one-time codes off");
  EXPECT_EQ(changes[2].event.outcome, Outcome::failed);
}

}  // namespace
}  // namespace watchroom::aggregator
