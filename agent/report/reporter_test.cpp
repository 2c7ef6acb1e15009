// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/report/reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

DeviceDescription room_sensor(ResourceClass resource_class = ResourceClass::general) {
  DeviceDescription device;
  device.id = "th1";
  device.resource_class = resource_class;
  device.poll_interval = 10s;
  device.max_silence = 60s;
  const auto point = [](std::string_view name, double deadband) {
    auto parsed = *PointName::parse(name);
    const Unit unit = parsed.kind().unit;
    return PointDescription{std::move(parsed),
                            std::make_shared<const PointTraits>(PointTraits{unit, deadband})};
  };
  auto temperature = std::make_shared<PointTraits>(PointTraits{Unit::celsius, 0.5});
  temperature->alarms.resize(2);
  temperature->alarms[0].limit = 28.0;
  temperature->alarms[0].clear_limit = 26.0;
  temperature->alarms[1].raised = PointAlarm::Raised::below;
  temperature->alarms[1].limit = 10.0;
  temperature->alarms[1].clear_limit = 12.0;
  device.points = {PointDescription{*PointName::parse("ambient.temperature"), temperature},
                   point("leak.state", 0.0), point("device.serial", 0.0)};
  return device;
}

/// Plays polls to one device and returns the names reported after each, so that a test reads as a timeline.
class Room {
 public:
  explicit Room(DeviceDescription device = room_sensor()) : device_{std::move(device)} {}

  std::vector<std::string> reads(std::chrono::milliseconds at, double celsius, std::int64_t leak = 0,
                                 std::string serial = "A1") {
    PollResult polled{0, Communication::ok, "", wall(at), {}};
    polled.readings = {{celsius, Quality::good, wall(at)},
                       {leak, Quality::good, wall(at)},
                       {serial, Quality::good, wall(at)}};
    return step(polled, at);
  }
  std::vector<std::string> is_silent(std::chrono::milliseconds at, std::string text = "no answer") {
    PollResult polled{0, Communication::no_answer, std::move(text), wall(at), {}};
    polled.readings.assign(3, {{}, Quality::stale, wall(at)});
    return step(polled, at);
  }
  std::vector<std::string> step(const PollResult& polled, std::chrono::milliseconds at) {
    last_ = reporter_.judge(polled, Steady{at});
    std::vector<std::string> names;
    if (last_)
      for (const Metric& metric : last_->metrics) names.push_back(metric.name);
    return names;
  }
  bool was_urgent() const { return last_ && last_->is_urgent; }
  const Report& last() const { return *last_; }
  static Timestamp wall(std::chrono::milliseconds at) { return from_ms(1'800'000'000'000) + at; }

 private:
  DeviceDescription device_;
  Reporter reporter_{std::make_shared<const DeviceDescription>(device_)};
  std::optional<Report> last_;
};

TEST(Reporter, TellsEverythingTheFirstTime) {
  Room room;
  EXPECT_THAT(room.reads(0s, 23.0), UnorderedElementsAre("ambient.temperature", "leak.state", "device.serial",
                                                         "communication.state", "communication.text"));
  EXPECT_TRUE(room.was_urgent());
}

TEST(Reporter, ALeapIsUrgentAndADriftIsNot) {
  Room room;
  room.reads(0s, 23.0);
  room.reads(1s, 24.5);
  EXPECT_FALSE(room.was_urgent());
  room.reads(2s, 26.5);
  EXPECT_TRUE(room.was_urgent());
}

TEST(Reporter, ALimitThatIsCrossedIsUrgentHoweverSmallTheStep) {
  Room room;
  room.reads(0s, 27.9);
  EXPECT_THAT(room.reads(1s, 28.0), IsEmpty());
  EXPECT_THAT(room.reads(2s, 28.1), ElementsAre("ambient.temperature"));
  EXPECT_TRUE(room.was_urgent());
  EXPECT_THAT(room.reads(3s, 27.9), IsEmpty());  // the alarm goes on
  EXPECT_THAT(room.reads(4s, 28.1), IsEmpty());  // and was told
  room.reads(5s, 26.1);
  EXPECT_THAT(room.reads(6s, 26.0), ElementsAre("ambient.temperature"));
  EXPECT_TRUE(room.was_urgent());
  room.reads(7s, 10.0);
  EXPECT_THAT(room.reads(8s, 9.9), ElementsAre("ambient.temperature"));
  EXPECT_TRUE(room.was_urgent());
  EXPECT_THAT(room.reads(9s, 12.0), ElementsAre("ambient.temperature"));
  EXPECT_TRUE(room.was_urgent());
}

TEST(Reporter, HoldsTheDeadbandAgainstTheLastReportedValueAndNotAgainstTheLastPoll) {
  Room room;
  room.reads(0s, 23.0);
  EXPECT_THAT(room.reads(1s, 23.2), IsEmpty());
  EXPECT_THAT(room.reads(2s, 23.4), IsEmpty());
  EXPECT_THAT(room.reads(3s, 23.6), ElementsAre("ambient.temperature"));  // crept by small steps
  EXPECT_FALSE(room.was_urgent());
  EXPECT_THAT(room.reads(4s, 23.2), IsEmpty());
  EXPECT_THAT(room.reads(5s, 23.1), ElementsAre("ambient.temperature"));
}

TEST(Reporter, TellsEveryChangeOfAStateAtOnce) {
  Room room;
  room.reads(0s, 23.0, 0);
  EXPECT_THAT(room.reads(1s, 23.0, 1), ElementsAre("leak.state"));
  EXPECT_TRUE(room.was_urgent());
  EXPECT_THAT(room.reads(2s, 23.0, 1), IsEmpty());
  EXPECT_THAT(room.reads(3s, 23.0, 0), ElementsAre("leak.state"));
}

TEST(Reporter, TellsAChangedTextWithoutHurry) {
  Room room;
  room.reads(0s, 23.0);
  EXPECT_THAT(room.reads(1s, 23.0, 0, "B2"), ElementsAre("device.serial"));
  EXPECT_FALSE(room.was_urgent());
}

TEST(Reporter, LetsNoPointStaySilentLongerThanMaxSilence) {
  Room room;
  room.reads(0s, 23.0);
  for (auto at = 10s; at < 60s; at += 10s) EXPECT_THAT(room.reads(at, 23.0), IsEmpty()) << at.count();
  EXPECT_EQ(room.reads(60s, 23.0).size(), 5u);
  EXPECT_FALSE(room.was_urgent());
  EXPECT_THAT(room.reads(70s, 23.0), IsEmpty());
}

TEST(Reporter, DoesNotWaitForAPollThatWouldComeTooLate) {
  auto device = room_sensor();
  device.poll_interval = 25s;
  Room room{device};
  room.reads(0s, 23.0);
  EXPECT_THAT(room.reads(25s, 23.0), IsEmpty());
  EXPECT_EQ(room.reads(50s, 23.0).size(), 5u);  // the next poll is at 75 s
}

TEST(Reporter, AReportOfOnePointDoesNotPutOffTheOthers) {
  Room room;
  room.reads(0s, 23.0);
  EXPECT_EQ(room.reads(50s, 30.0).size(), 1u);
  EXPECT_EQ(room.reads(60s, 30.0).size(), 5u);
}

TEST(Reporter, LosingTheDeviceIsUrgentAndToldOnce) {
  Room room;
  room.reads(0s, 23.0);
  EXPECT_EQ(room.is_silent(10s).size(), 5u);
  EXPECT_TRUE(room.was_urgent());
  for (const Metric& metric : room.last().metrics) {
    const bool is_point = !metric.name.starts_with("communication");
    EXPECT_EQ(metric.quality, is_point ? Quality::stale : Quality::good) << metric.name;
    EXPECT_EQ(metric.value.has_value(), !is_point) << metric.name;
  }
  EXPECT_THAT(room.is_silent(20s), IsEmpty());
  EXPECT_THAT(room.is_silent(200s), IsEmpty());  // nothing new is known: silence is not repeated
  EXPECT_THAT(room.is_silent(210s, "connection refused"), ElementsAre("communication.text"));
  EXPECT_EQ(room.reads(220s, 23.0).size(), 5u);
  EXPECT_TRUE(room.was_urgent());
}

TEST(Reporter, EveryReportOfACoreDeviceIsUrgent) {
  Room room{room_sensor(ResourceClass::core)};
  room.reads(0s, 23.0);
  EXPECT_THAT(room.reads(1s, 24.0), ElementsAre("ambient.temperature"));
  EXPECT_TRUE(room.was_urgent());
}

TEST(Reporter, PutsValuesInTimeOrder) {
  Room room;
  PollResult polled{0, Communication::ok, "", Room::wall(5ms), {}};
  polled.readings = {{23.0, Quality::good, Room::wall(30ms)},
                     {std::int64_t{0}, Quality::good, Room::wall(20ms)},
                     {"A1", Quality::good, Room::wall(10ms)}};
  EXPECT_THAT(room.step(polled, 30ms), ElementsAre("communication.state", "communication.text",
                                                   "device.serial", "leak.state", "ambient.temperature"));
}

TEST(Reporter, ADeviceWithOneGoodPointIsNotLost) {
  PollResult polled{0, Communication::refused, "exception 2", {}, {}};
  polled.readings.assign(2, {{}, Quality::stale, {}});
  EXPECT_TRUE(is_lost(polled));
  polled.readings[1] = {1.0, Quality::good, {}};
  EXPECT_FALSE(is_lost(polled));
  EXPECT_FALSE(is_lost({0, Communication::unknown, "", {}, {}}));
}

}  // namespace
}  // namespace watchroom::agent
