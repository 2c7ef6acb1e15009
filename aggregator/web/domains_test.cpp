// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// All routes × all roles × domains: what is outside somebody's domains is not there.
#include "aggregator/web/routes.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

/// Everything of the room is in hq/room1.
const std::vector<std::string> outside{"site:south", "room:hq/room2", "room:south/room1", "region:nowhere"};
const std::vector<std::string> inside{"site:hq", "room:hq/room1", "region:north"};

class Domains : public ServedRoom {
 protected:
  Domains() {
    AgentView agent;
    agent.site = "hq";
    agent.agent = "room1";
    agent.name = "一号机房";
    agent.state = "online";
    DeviceView ups;
    ups.id = "ups1";
    agent.devices = {ups};
    room.put(agent);
    UsersFile file;
    for (const Role role : all_roles) {
      for (const auto* domains : {&outside, &inside})
        for (const std::string& domain : *domains) add(file, role, domain);
      add(file, role, "");
    }
    EXPECT_TRUE(replace_users(file));
  }

  void add(UsersFile& file, Role role, const std::string& domain) {
    const std::string name = fmt::format("{} {}", name_of(role), by_domain.size());
    names[{role, domain}] = name;
    UserEntry user{name, role, "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQwMDE$cnVubm5pbmdvdXRvZmhhc2hlczEyMw"};
    if (!domain.empty()) user.domains = {domain};
    file.users.push_back(std::move(user));
    by_domain[{role, domain}] = new_token();
    file.tokens.push_back({"test", name, sha256_hex(by_domain[{role, domain}])});
  }
  std::string bearer_of(Role role, const std::string& domain) const {
    return "Authorization: Bearer " + by_domain.at({role, domain});
  }
  Reply ask_as(Role role, const std::string& domain, const Route& route) const {
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
    if (route.pattern == "/api/v1/events") ask.method = "HEAD";
    ask.headers.push_back(bearer_of(role, domain));
    return call(ask);
  }

  std::map<std::pair<Role, std::string>, std::string> by_domain, names;
};

bool names_the_room(const Reply& reply) {
  for (const auto* word : {"hq", "room1", "leak1", "ups1", "北侧水浸", "一号机房"})
    if (reply.has(word)) return true;
  return false;
}

TEST_F(Domains, EveryRouteSaysHowItKeepsToThem) {
  for (const Route& route : routes())
    EXPECT_NE(route.bounds, Bounds::undeclared)
        << route.method << " " << route.pattern << ": say in routes.cpp how it keeps to domains, see Bounds";
}

TEST_F(Domains, WhatIsOutsideIsNotThereForAnyRoleOnAnyRoute) {
  for (const Route& route : routes()) {
    if (route.entry == Entry::open || route.entry == Entry::loopback_or_role) continue;
    const bool describes_the_api =
        route.pattern == "/api/openapi.json";  // its examples have names of their own
    for (const Role role : all_roles)
      for (const std::string& domain : outside) {
        const Reply reply = ask_as(role, domain, route);
        const auto about = fmt::format("{} {} as {} of {}: {} {}", route.method, route.pattern, name_of(role),
                                       domain, reply.status, reply.body.substr(0, 300));
        const bool is_allowed = route.entry == Entry::any_role || may(role, route.action);
        if (!is_allowed || route.bounds == Bounds::whole)
          EXPECT_EQ(reply.status, 403) << about;
        else
          EXPECT_TRUE(reply.status == 200 || reply.status == 404 || route.entry == Entry::any_role) << about;
        EXPECT_TRUE(describes_the_api || !names_the_room(reply)) << about;
      }
  }
}

TEST_F(Domains, WhatIsInsideIsThereAsForEverybody) {
  for (const Route& route : routes()) {
    if (route.bounds != Bounds::places || route.pattern == "/api/v1/alarms/{id}/acknowledge") continue;
    for (const Role role : all_roles) {
      const Reply all = ask_as(role, "", route);
      for (const std::string& domain : inside) {
        const Reply reply = ask_as(role, domain, route);
        EXPECT_EQ(reply.status, all.status) << route.pattern << " " << name_of(role) << " " << domain;
        EXPECT_EQ(names_the_room(reply), names_the_room(all)) << route.pattern << " " << domain;
      }
    }
  }
}

TEST_F(Domains, AnAlarmIsAnsweredOnlyByWhoIsResponsibleForItsRoom) {
  const std::string path = "/api/v1/alarms/12/acknowledge";
  const Reply refused = post(path, "{}", {bearer_of(Role::operator_, "site:south")});
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.body,
            post("/api/v1/alarms/99/acknowledge", "{}", {bearer_of(Role::operator_, "site:south")}).body)
      << "as one that is not there at all";
  EXPECT_EQ(post(path, "{}", {bearer_of(Role::operator_, "room:hq/room1")}).status, 200);
}

TEST_F(Domains, AnAlarmOfTheCentreIsSeenByEverybodyAndAnsweredByTheWholeHouse) {
  AlarmView broker;
  broker.id = 13;
  broker.title_en = "Broker unreachable";
  broker.state = AlarmLifeCycle::unacknowledged;
  room.put(broker);
  EXPECT_TRUE(call({.path = "/api/v1/alarms", .headers = {bearer_of(Role::operator_, "site:south")}})
                  .has("Broker unreachable"));
  const std::string path = "/api/v1/alarms/13/acknowledge";
  EXPECT_EQ(post(path, "{}", {bearer_of(Role::operator_, "site:south")}).status, 404);
  EXPECT_EQ(post(path, "{}", {bearer_of(Role::operator_, "")}).status, 200);
}

TEST_F(Domains, CountsAreOfThePart) {
  const auto counts = [&](const std::string& domain) {
    const Reply reply = call({.path = "/api/v1/status", .headers = {bearer_of(Role::viewer, domain)}});
    return Json::parse(reply.body)["counts"];
  };
  for (const auto* key : {"agents", "agents_online", "devices", "points", "points_good", "alarms_open",
                          "alarms_unacknowledged"})
    EXPECT_EQ(counts("site:south")[key], 0) << key;
  EXPECT_EQ(counts("site:hq")["points"], 2);
  EXPECT_EQ(counts("site:hq")["agents_online"], 1);
  EXPECT_EQ(counts("site:hq")["alarms_unacknowledged"], 1);
}

TEST_F(Domains, HistoryIsFilledUpWithWhatIsInside) {
  for (int id = 100; id < 400; ++id) {
    AlarmView alarm;
    alarm.id = id;
    alarm.site = "south";
    alarm.agent = "room1";
    alarm.title_en = "south";
    room.put(alarm);
  }
  const Reply reply =
      call({.path = "/api/v1/alarms?state=all&limit=5", .headers = {bearer_of(Role::viewer, "site:hq")}});
  const Json alarms = Json::parse(reply.body)["alarms"];
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_EQ(alarms[0]["id"], 12);
}

TEST_F(Domains, TheEventStreamTellsEachOnlyTheirPart) {
  const std::string path = url("/api/v1/events");
  EventReader here{path, bearer_of(Role::viewer, "site:hq"), folder / "ca.pem"};
  EventReader there{path, bearer_of(Role::viewer, "site:south"), folder / "ca.pem"};
  EventReader everywhere{path, bearer_of(Role::viewer, ""), folder / "ca.pem"};
  for (EventReader* each : {&here, &there, &everywhere}) ASSERT_TRUE(each->hears("event: points"));
  PointView point = FakeRoom::point("th9", "ambient.temperature", 31.5);
  room.put(point);
  point.site = "south";
  point.device = "th7";
  room.put(point);
  EXPECT_TRUE(here.hears("th9"));
  EXPECT_TRUE(there.hears("th7"));
  EXPECT_TRUE(everywhere.hears("th9") && everywhere.hears("th7"));
  EXPECT_EQ(here.heard().find("th7"), std::string::npos);
  EXPECT_EQ(there.heard().find("hq"), std::string::npos) << there.heard();
}

TEST_F(Domains, WhoseDomainsChangeBeginsANewStream) {
  const std::string name = names.at({Role::viewer, "site:hq"});
  EventReader reader{url("/api/v1/events"), bearer_of(Role::viewer, "site:hq"), folder / "ca.pem"};
  ASSERT_TRUE(reader.hears("leak1"));
  ASSERT_TRUE(edit_users_file(folder / "users.toml", [&](UsersFile& file) -> Result<void> {
    for (UserEntry& user : file.users)
      if (user.name == name) user.domains = {"site:south"};
    return {};
  }));
  EXPECT_TRUE(reader.ends());
}

TEST_F(Domains, ATokenSeesNoMoreThanItsUserNorThanItself) {
  const std::string token = new_token();
  ASSERT_TRUE(edit_users_file(folder / "users.toml", [&](UsersFile& file) -> Result<void> {
    TokenEntry entry{"narrow", names.at({Role::viewer, "site:hq"}), sha256_hex(token)};
    entry.domains = {"site:south"};
    file.tokens.push_back(entry);
    return {};
  }));
  users.reread_if_changed();
  const Reply reply = call({.path = "/api/v1/points", .headers = {"Authorization: Bearer " + token}});
  ASSERT_EQ(reply.status, 200);
  EXPECT_TRUE(Json::parse(reply.body)["points"].empty()) << reply.body;
}

}  // namespace
}  // namespace watchroom::aggregator
