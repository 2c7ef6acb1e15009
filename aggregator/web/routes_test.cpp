// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/routes.hpp"

#include <map>
#include <set>

#include "aggregator/web/api.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

/// A request that fits the route, with a body where it wants one.
Ask ask_for(const Route& route) {
  Ask ask{.method = std::string{route.method}, .path = std::string{route.pattern}};
  const std::map<std::string, std::string> places{
      {"{id}", "12"},        {"{site}", "hq"},     {"{agent}", "room1"}, {"{device}", "ups1"},
      {"{output}", "siren"}, {"{user}", "nobody"}, {"{token}", "none"}};
  for (const auto& [place, found] : places)
    if (const auto at = ask.path.find(place); at != std::string::npos)
      ask.path.replace(at, place.size(), found);
  if (route.pattern == "/api/v1/points/samples") ask.path += "?id=hq/room1/leak1/leak.state";
  if (route.body_example) {
    ask.headers.push_back("Content-Type: application/json");
    ask.body = to_text(route.body_example());
  }
  return ask;
}

using Roles = std::set<Role>;
const Roles everybody{Role::viewer, Role::operator_, Role::shift_lead, Role::administrator, Role::auditor};
const Roles on_duty{Role::operator_, Role::shift_lead, Role::administrator};
const Roles in_charge{Role::shift_lead, Role::administrator};
const Roles administrators{Role::administrator};
const Roles auditors{Role::auditor, Role::administrator};

/// Who may what, written by hand and not taken from the code: a route that is given the wrong action fails
/// here.
const std::map<std::pair<std::string_view, std::string_view>, Roles> rights{
    {{"POST", "/api/v1/session"}, everybody},
    {{"GET", "/api/v1/session"}, everybody},
    {{"DELETE", "/api/v1/session"}, everybody},
    {{"PUT", "/api/v1/session/password"}, everybody},
    {{"POST", "/api/v1/session/totp"}, everybody},
    {{"PUT", "/api/v1/session/totp"}, everybody},
    {{"DELETE", "/api/v1/session/totp"}, everybody},
    {{"GET", "/api/v1/status"}, everybody},
    {{"GET", "/api/v1/points"}, everybody},
    {{"GET", "/api/v1/points/samples"}, everybody},
    {{"GET", "/api/v1/alarms"}, everybody},
    {{"POST", "/api/v1/alarms/{id}/acknowledge"}, on_duty},
    {{"GET", "/api/v1/agents"}, everybody},
    {{"GET", "/api/v1/identities"}, everybody},
    {{"POST", "/api/v1/agents/{site}/{agent}/invitation"}, administrators},
    {{"POST", "/api/v1/agents/{site}/{agent}/revocation"}, administrators},
    {{"GET", "/api/v1/agents/{site}/{agent}/configuration"}, administrators},
    {{"PUT", "/api/v1/agents/{site}/{agent}/configuration"}, administrators},
    {{"GET", "/api/v1/agents/{site}/{agent}/configurations"}, administrators},
    {{"GET", "/api/v1/outputs"}, everybody},
    {{"POST", "/api/v1/agents/{site}/{agent}/outputs/{output}/selections"}, in_charge},
    {{"POST", "/api/v1/agents/{site}/{agent}/outputs/{output}/orders"}, in_charge},
    {{"GET", "/api/v1/agents/{site}/{agent}/outputs/{output}/orders"}, everybody},
    {{"PUT", "/api/v1/devices/{site}/{agent}/{device}/class"}, on_duty},
    {{"GET", "/api/v1/events"}, everybody},
    {{"GET", "/api/v1/audit"}, auditors},
    {{"GET", "/api/v1/users"}, administrators},
    {{"POST", "/api/v1/users"}, administrators},
    {{"PUT", "/api/v1/users/{user}"}, administrators},
    {{"DELETE", "/api/v1/users/{user}"}, administrators},
    {{"POST", "/api/v1/users/{user}/password"}, administrators},
    {{"DELETE", "/api/v1/users/{user}/totp"}, administrators},
    {{"POST", "/api/v1/users/{user}/tokens"}, administrators},
    {{"DELETE", "/api/v1/users/{user}/tokens/{token}"}, administrators},
    {{"GET", "/api/openapi.json"}, everybody},
    {{"GET", "/metrics"}, everybody},
};

const Roles& may_use(const Route& route) {
  static const Roles nobody;
  const auto row = rights.find({route.method, route.pattern});
  return row == rights.end() ? nobody : row->second;
}

bool is_stream(const Route& route) { return route.pattern == "/api/v1/events"; }

class Routes : public ServedRoom {
 protected:
  /// The status of the answer; a stream never ends by itself, so only its head is looked at.
  long status_of(const Route& route, Ask ask) {
    if (is_stream(route)) ask.method = "HEAD";
    return call(ask).status;
  }
};

TEST_F(Routes, NobodyPassesWithoutALogIn) {
  for (const Route& route : routes()) {
    if (route.entry == Entry::open || route.entry == Entry::loopback_or_role) continue;
    EXPECT_EQ(status_of(route, ask_for(route)), 401) << route.method << " " << route.pattern;
  }
}

TEST_F(Routes, AForgedTokenOrCookieIsNoLogIn) {
  for (const Route& route : routes()) {
    if (route.entry == Entry::open || route.entry == Entry::loopback_or_role) continue;
    for (const std::string& header :
         {"Authorization: Bearer wr_" + std::string(64, '0'), "Cookie: wr_session=" + std::string(64, '0'),
          std::string{"Authorization: Basic eDp4"}}) {
      Ask ask = ask_for(route);
      ask.headers.push_back(header);
      EXPECT_EQ(status_of(route, ask), 401) << route.method << " " << route.pattern << " " << header;
    }
  }
}

TEST_F(Routes, EveryRouteIsInTheTableOfRightsAndNothingElse) {
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const Route& route : routes()) {
    known.emplace(route.method, route.pattern);
    EXPECT_EQ(route.entry == Entry::open, route.handler == &Api::log_in)
        << route.pattern << ": only the log-in is open";
    EXPECT_EQ(route.entry == Entry::loopback_or_role, route.pattern == "/metrics") << route.pattern;
    EXPECT_TRUE(rights.contains({route.method, route.pattern}))
        << route.method << " " << route.pattern << ": say in the table above who may";
  }
  for (const auto& [route, roles] : rights)
    EXPECT_TRUE(known.contains(route)) << route.first << " " << route.second << ": there is no such route";
}

/// All routes × all roles × token and cookie.
TEST_F(Routes, EachRoleGetsWhatTheTableOfRightsSaysAndNoMore) {
  for (const Route& route : routes()) {
    if (route.entry == Entry::open) continue;
    for (const Role role : all_roles) {
      const bool is_allowed = may_use(route).contains(role);
      for (const std::string& proof : {bearer(role), cookie_of(std::string{name_of(role)})}) {
        Ask ask = ask_for(route);
        ask.headers.push_back(proof);
        const long status = status_of(route, ask);
        const auto about = fmt::format("{} {} as {} with {}: {}", route.method, route.pattern, name_of(role),
                                       proof.substr(0, 6), status);
        if (!is_allowed) {
          EXPECT_EQ(status, 403) << about;
        } else {
          // 400: a token has no session to end; 404: there is no such device; 409: another role acknowledged
          // the alarm before.
          // 403 for a password: the example's old one is wrong.
          const bool is_own_password = route.pattern == "/api/v1/session/password";
          // No token changes one-time codes.
          const bool is_token_at_codes = route.pattern == "/api/v1/session/totp" && proof == bearer(role);
          EXPECT_TRUE(status == 200 || status == 201 || status == 202 || status == 204 || status == 404 ||
                      status == 409 || (status == 400 && (route.method == "DELETE" || is_own_password)) ||
                      (is_own_password && (status == 403 || status == 429)) ||
                      (is_token_at_codes && status == 403))
              << about;
        }
      }
    }
  }
}

TEST_F(Routes, AMethodThatIsNotInTheTableIsRefusedWithThoseThatAre) {
  const Reply reply = call({.method = "PATCH", .path = "/api/v1/session", .headers = {bearer(Role::viewer)}});
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers.at("allow"), "POST, GET, DELETE");
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json; charset=utf-8");
}

TEST_F(Routes, AnUnknownQueryParameterIsToldInsteadOfIgnored) {
  const Reply reply = get("/api/v1/points?sit=hq");
  EXPECT_EQ(reply.status, 400);
  EXPECT_TRUE(reply.has("site, agent, device, name, q")) << reply.body;
}

TEST_F(Routes, TheDescriptionNamesEveryRouteAndWhoMayUseIt) {
  const Json description = Json::parse(get("/api/openapi.json").body);
  EXPECT_EQ(description["openapi"], "3.1.0");
  for (const Route& route : routes()) {
    std::string method{route.method};
    for (char& c : method) c = static_cast<char>(c | 0x20);
    EXPECT_TRUE(description["paths"][std::string{route.pattern}].contains(method)) << route.pattern;
  }
  EXPECT_EQ(description["paths"]["/api/v1/alarms/{id}/acknowledge"]["post"]["x-roles"],
            Json({"operator", "shift_lead", "administrator"}));
  const Json& point =
      description["paths"]["/api/v1/points"]["get"]["responses"]["200"]["content"]["application/json"]
                 ["schema"]["properties"]["points"]["items"]["properties"];
  EXPECT_EQ(point["quality"]["type"], "string");
  EXPECT_EQ(point["age_s"]["type"], Json({"number", "null"}));
}

TEST(Match, FindsByWholeSegmentsOnly) {
  EXPECT_TRUE(match("GET", "/api/v1/points").route);
  EXPECT_TRUE(match("HEAD", "/api/v1/points").route);
  EXPECT_EQ(match("POST", "/api/v1/alarms/7/acknowledge").places, std::vector<std::string>{"7"});
  EXPECT_EQ(match("PUT", "/api/v1/devices/hq/room1/ups1/class").places,
            (std::vector<std::string>{"hq", "room1", "ups1"}));
  for (const std::string_view path :
       {"/api/v1/points/", "/api/v1/point", "/api/v1/points/samples/1", "/api/v1//points",
        "/api/v1/alarms//acknowledge", "", "/", "//", "/api/v1/points/../status"}) {
    EXPECT_FALSE(match("GET", path).route) << path;
    EXPECT_TRUE(match("GET", path).allowed.empty()) << path;
  }
}

}  // namespace
}  // namespace watchroom::aggregator
