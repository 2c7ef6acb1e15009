// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/feed.hpp"

#include "aggregator/web/room_json.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

AlarmView normal_alarm() {
  AlarmView alarm;
  alarm.id = 12;
  return alarm;
}

/// One who may see everything.
Feed::Round round_of(Feed& feed, Feed::Wanted wanted) { return feed.round({{Reach{}, wanted}}).at(Reach{}); }

TEST(Feed, ANewcomerGetsEverythingAndThenOnlyChanges) {
  FakeRoom room;
  FakeClock clock;
  Feed feed{room, clock};
  const auto first = round_of(feed, {.full = true});
  EXPECT_TRUE(first.changes.empty());
  for (const auto name : {"event: status\n", "event: agents\n", "event: alarms\n", "event: points\n"})
    EXPECT_NE(first.full.find(name), std::string::npos) << name;

  EXPECT_TRUE(round_of(feed, {.changes = true}).changes.empty()) << "nothing changed";
  room.put(FakeRoom::point("th1", "ambient.temperature", 24.5));
  const std::string changes = round_of(feed, {.changes = true}).changes;
  EXPECT_NE(changes.find("\"value\":24.5"), std::string::npos);
  EXPECT_EQ(changes.find("leak.state"), std::string::npos);
  EXPECT_EQ(changes.find("event: alarms"), std::string::npos) << "the alarm did not change";
}

TEST(Feed, AnEmptyRoomIsToldAsEmptyAndGrows) {
  FakeRoom room;
  FakeClock clock;
  Feed feed{room, clock};
  room.put(normal_alarm());
  EXPECT_NE(round_of(feed, {.full = true}).full.find("event: alarms\ndata: {\"alarms\":[]}\n\n"),
            std::string::npos);
}

TEST(Feed, AnAlarmThatBecameNormalIsToldOnce) {
  FakeRoom room;
  FakeClock clock;
  Feed feed{room, clock};
  (void)round_of(feed, {.full = true});
  room.put(normal_alarm());
  EXPECT_NE(round_of(feed, {.changes = true}).changes.find("\"state\":\"normal\""), std::string::npos);
  EXPECT_TRUE(round_of(feed, {.changes = true}).changes.empty());
}

TEST(Feed, FiguresAreToldEveryFewSecondsEvenIfNothingChanged) {
  FakeRoom room;
  FakeClock clock;
  Feed feed{room, clock};
  (void)round_of(feed, {.changes = true, .full = true});
  EXPECT_TRUE(round_of(feed, {.changes = true}).changes.empty());
  clock.advance(5s);
  EXPECT_NE(round_of(feed, {.changes = true}).changes.find("event: status\n"), std::string::npos);
}

TEST(Feed, TellsTheTimeOfSendingAndHowOldTheCoresWordIs) {
  FakeRoom room;
  FakeClock clock{from_ms(1'800'000'000'000)};
  Feed feed{room, clock};
  const auto age = [&] {
    const std::string text = round_of(feed, {.changes = true}).changes;
    const auto at = text.find("data: ") + 6;
    const Json status = Json::parse(text.substr(at, text.find("\n", at) - at));
    EXPECT_EQ(status["time"], to_rfc3339(clock.now()));
    return status["core_age_s"].get<double>();
  };
  clock.advance(5s);
  const double before = age();
  clock.advance(7s);  // and the core says nothing
  EXPECT_EQ(age(), before + 7);
}

class Events : public ServedRoom {
 protected:
  std::string path() const { return url("/api/v1/events"); }
  bool metric_becomes(std::string_view line) {
    const auto deadline = std::chrono::steady_clock::now() + 15s;
    while (std::chrono::steady_clock::now() < deadline)
      if (call({.path = "/metrics"}).has(line)) return true;
    return false;
  }
};

TEST_F(Events, AChangeReachesEveryListener) {
  EventReader first{path(), bearer(Role::viewer), folder / "ca.pem"};
  EventReader second{path(), cookie_of("auditor"), folder / "ca.pem"};
  ASSERT_TRUE(first.hears("event: points\n"));
  ASSERT_TRUE(second.hears("event: points\n"));
  EXPECT_NE(first.heard().find("北侧水浸"), std::string::npos);
  room.put(FakeRoom::point("th1", "ambient.temperature", 31.25));
  EXPECT_TRUE(first.hears("\"value\":31.25"));
  EXPECT_TRUE(second.hears("\"value\":31.25"));
}

TEST_F(Events, LoggingOutEndsTheStream) {
  const std::string cookie = cookie_of("viewer");
  EventReader reader{path(), cookie, folder / "ca.pem"};
  ASSERT_TRUE(reader.hears("event: points\n"));
  EXPECT_EQ(call({.method = "DELETE", .path = "/api/v1/session", .headers = {cookie}}).status, 204);
  EXPECT_TRUE(reader.ends());
}

TEST_F(Events, ASessionThatIsOverEndsItsStreamAndAnOpenStreamKeepsItFromIdling) {
  EventReader reader{path(), cookie_of("viewer"), folder / "ca.pem"};
  ASSERT_TRUE(reader.hears("event: points\n"));
  clock.advance(1h);
  room.put(FakeRoom::point("th1", "ambient.temperature", 1.0));
  ASSERT_TRUE(reader.hears("\"value\":1.0"));
  clock.advance(1h + 30min);
  room.put(FakeRoom::point("th1", "ambient.temperature", 2.0));
  ASSERT_TRUE(reader.hears("\"value\":2.0"));
  clock.advance(10h);
  EXPECT_TRUE(reader.ends());
}

TEST_F(Events, StoppingEndsTheStreams) {
  EventReader reader{path(), bearer(Role::viewer), folder / "ca.pem"};
  ASSERT_TRUE(reader.hears("event: points\n"));
  server->stop();
  EXPECT_TRUE(reader.ends());
}

class QuietEvents : public Events {
 protected:
  QuietEvents() { settings.event_keep_alive = 30ms; }
};

TEST_F(QuietEvents, SilenceIsFilledWithComments) {
  EventReader reader{path(), bearer(Role::viewer), folder / "ca.pem"};
  EXPECT_TRUE(reader.hears(": still here\n\n: still here\n\n"));
}

class SlowReader : public Events {
 protected:
  SlowReader() { settings.max_event_backlog = 1 << 20; }
};

TEST_F(SlowReader, IsCutOffAndHoldsNobodyElse) {
  EventReader slow{path(), bearer(Role::viewer), folder / "ca.pem", EventReader::Reading::no};
  EventReader quick{path(), bearer(Role::viewer), folder / "ca.pem"};
  ASSERT_TRUE(slow.hears("event: "));
  ASSERT_TRUE(quick.hears("event: points\n"));
  // More than the kernel's socket buffers take: 6 MB for the receiver (tcp_rmem), 4 MB for the sender.
  for (int i = 0; i < 40 && !call({.path = "/metrics"}).has("streams_dropped_total 1\n"); ++i) {
    room.put(FakeRoom::point("big", "leak.state", std::string(1 << 20, 'x')));
    room.put(FakeRoom::point("round", "leak.state", std::int64_t{1000 + i}));
    ASSERT_TRUE(quick.hears(fmt::format("\"value\":{}", 1000 + i))) << i;
  }
  EXPECT_TRUE(metric_becomes("watchroom_web_streams_dropped_total 1\n"));
  EXPECT_EQ(get("/api/v1/status").status, 200);
}

}  // namespace
}  // namespace watchroom::aggregator
