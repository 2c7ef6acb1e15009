// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/api.hpp"

#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

class ApiTest : public ServedRoom {
 protected:
  Json points(const std::string& query = "") {
    return Json::parse(get("/api/v1/points" + query).body)["points"];
  }
};

TEST_F(ApiTest, PointsCarryValueUnitQualityAndAge) {
  clock.advance(std::chrono::milliseconds{1200});
  PointView hot = FakeRoom::point("th1", "ambient.temperature", 23.5);
  hot.unit = Unit::celsius;
  room.put(hot);
  const Json point = points("?device=th1").at(0);
  EXPECT_EQ(point["id"], "hq/room1/th1/ambient.temperature");
  EXPECT_EQ(point["value"], 23.5);
  EXPECT_EQ(point["unit"], "celsius");
  EXPECT_EQ(point["unit_symbol"], "°C");
  EXPECT_EQ(point["quality"], "good");
  EXPECT_EQ(point["age_s"], 1.2);
  EXPECT_EQ(point["taken_at"], "2027-01-15T08:00:00.000Z");
}

TEST_F(ApiTest, AnOldValueIsNeverShownAsALiveOne) {
  PointView lost = FakeRoom::point("th1", "ambient.temperature", 23.5);
  lost.quality = "stale";
  lost.quality_reason_zh = "无应答";
  room.put(lost);
  const Json point = points("?device=th1").at(0);
  EXPECT_TRUE(point["value"].is_null());
  EXPECT_EQ(point["last_value"], 23.5);
  EXPECT_EQ(point["quality_reason_zh"], "无应答");
}

TEST_F(ApiTest, PointsCanBeNarrowed) {
  EXPECT_EQ(points().size(), 2u);
  EXPECT_EQ(points("?name=leak.state").size(), 1u);
  EXPECT_EQ(points("?site=elsewhere").size(), 0u);
  EXPECT_EQ(points("?q=LEAK").size(), 1u);
  EXPECT_EQ(points("?q=%E5%8C%97%E4%BE%A7").size(), 1u) << "北侧, part of a device's name";
}

TEST_F(ApiTest, WhatADeviceCallsItselfIsNeverMarkup) {
  PointView point = FakeRoom::point("x", "leak.state", std::string{"\xff\xfe bytes"});
  point.device_name = "<script>alert(1)</script> & '; DROP TABLE";
  room.put(point);
  const Reply reply = get("/api/v1/points?device=x");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
  EXPECT_FALSE(reply.has("<script>")) << reply.body;
  const Json parsed = Json::parse(reply.body)["points"][0];
  EXPECT_EQ(parsed["device_name"], "<script>alert(1)</script> & '; DROP TABLE");
  EXPECT_EQ(parsed["last_value"], "\xEF\xBF\xBD\xEF\xBF\xBD bytes") << "U+FFFD where it is not UTF-8";
}

TEST_F(ApiTest, BadJsonIsRefusedInBothLanguages) {
  for (const std::string body : {"{", "[]", "\"x\"", "{\"comment\":7}", "{\"comment\":\"\xff\"}", "null"}) {
    const Reply reply = post("/api/v1/alarms/12/acknowledge", body, {bearer(Role::operator_)});
    EXPECT_EQ(reply.status, 400) << body;
    const Json problem = Json::parse(reply.body);
    EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json; charset=utf-8");
    for (const auto key : {"type", "title", "detail", "title_zh", "detail_zh"})
      EXPECT_TRUE(problem[key].is_string()) << key;
    EXPECT_EQ(problem["status"], 400);
  }
  EXPECT_EQ(post("/api/v1/session", R"({"name":["x"],"password":{}})", {}).status, 400);
  EXPECT_EQ(post("/api/v1/session", std::string(20'000, '['), {}).status, 400);
}

TEST_F(ApiTest, AFormIsNotJson) {
  EXPECT_EQ(call({.method = "POST",
                  .path = "/api/v1/alarms/12/acknowledge",
                  .headers = {bearer(Role::operator_), "Content-Type: text/plain"},
                  .body = "{}"})
                .status,
            415);
}

TEST_F(ApiTest, WhatTheRoomRefusesIsToldWithItsReason) {
  EXPECT_EQ(post("/api/v1/alarms/99/acknowledge", "{}", {bearer(Role::operator_)}).status, 404);
  EXPECT_EQ(post("/api/v1/alarms/x/acknowledge", "{}", {bearer(Role::operator_)}).status, 404);
  EXPECT_EQ(post("/api/v1/alarms/12/acknowledge", "{}", {bearer(Role::operator_)}).status, 200);
  EXPECT_EQ(post("/api/v1/alarms/12/acknowledge", "{}", {bearer(Role::operator_)}).status, 409);
  EXPECT_EQ(get("/api/v1/points/samples?id=hq/room1/none/leak.state").status, 404);
  room.fail_disk_with({Errc::io, Retry::later, "disk full"});
  EXPECT_EQ(get("/api/v1/alarms?state=all").status, 500);
  EXPECT_EQ(get("/api/v1/alarms").status, 200) << "what is in memory does not need the disk";
}

TEST_F(ApiTest, LimitsAndTimesAreChecked) {
  const std::string id = "?id=hq/room1/leak1/leak.state";
  EXPECT_EQ(get("/api/v1/points/samples" + id).status, 200);
  EXPECT_EQ(get("/api/v1/points/samples" + id + "&since=2026-11-21T03:00:00Z&limit=5").status, 200);
  EXPECT_EQ(get("/api/v1/points/samples" + id + "&since=yesterday").status, 400);
  EXPECT_EQ(get("/api/v1/points/samples" + id + "&limit=0").status, 400);
  EXPECT_EQ(get("/api/v1/points/samples" + id + "&limit=10001").status, 400);
  EXPECT_EQ(get("/api/v1/points/samples").status, 400);
  EXPECT_EQ(get("/api/v1/alarms?state=some").status, 400);
  EXPECT_EQ(get("/api/v1/alarms?limit=99999999999999999999").status, 400);
}

TEST_F(ApiTest, AClassIsAskedForAndTheAnswerSaysThatItIsNotYetCarriedOut) {
  AgentView agent;
  agent.site = "hq";
  agent.agent = "room1";
  agent.state = "online";
  DeviceView ups;
  ups.id = "ups1";
  ups.resource_class = ups.class_configured = "general";
  ups.poll_interval = std::chrono::seconds{10};
  agent.devices = {ups};
  room.put(agent);
  agent.agent = "room2";
  agent.state = "offline";
  room.put(agent);
  const auto put = [&](const std::string& path, const std::string& body, Role role = Role::operator_) {
    return call({.method = "PUT",
                 .path = "/api/v1/devices/" + path + "/class",
                 .headers = {bearer(role), "Content-Type: application/json"},
                 .body = body});
  };
  const Reply asked = put("hq/room1/ups1", R"({"class":"core"})");
  EXPECT_EQ(asked.status, 202) << asked.body;
  const Json device = Json::parse(asked.body);
  EXPECT_EQ(device["class"], "general");
  EXPECT_EQ(device["class_wanted"], "core");
  EXPECT_EQ(device["class_configured"], "general");
  EXPECT_EQ(device["class_request"], "pending");
  EXPECT_EQ(device["poll_interval_ms"], 10'000);
  EXPECT_EQ(room.class_asked_by, "operator");
  EXPECT_EQ(put("hq/room1/ups1", R"({"class":"core"})", Role::auditor).status, 403);
  EXPECT_EQ(put("hq/room1/ups9", R"({"class":"core"})").status, 404);
  const Reply offline = put("hq/room2/ups1", R"({"class":"core"})");
  EXPECT_EQ(offline.status, 409);
  EXPECT_EQ(Json::parse(offline.body)["title_zh"], "现在无法下发");
  for (const std::string body : {"", "{}", "[]", R"({"class":"vital"})", R"({"class":1})", R"("core")",
                                 R"({"class":"core","more":1})"})
    EXPECT_EQ(put("hq/room1/ups1", body).status, 400) << body;
}

TEST_F(ApiTest, AValueOfAnUntrustedClockStandsAndSaysSo) {
  PointView point = FakeRoom::point("th1", "ambient.temperature", 23.5);
  point.quality = "clock_unsure";
  room.put(point);
  const Json shown = points("?device=th1").at(0);
  EXPECT_EQ(shown["value"], 23.5);
  EXPECT_EQ(shown["quality"], "clock_unsure");
}

TEST_F(ApiTest, MetricsAreOpenToThisMachine) {
  const Reply reply = call({.path = "/metrics"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.has("# TYPE watchroom_points gauge\nwatchroom_points 2\n")) << reply.body;
  EXPECT_TRUE(reply.has("watchroom_web_requests_total "));
}

}  // namespace
}  // namespace watchroom::aggregator
