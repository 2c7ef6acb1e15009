// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

class Births : public CoreTest {
 protected:
  DeviceView device() const { return room->agents(0).at(0).devices.at(0); }
  void be_hot() {
    be_born();
    reads(31.0);
    pass(30s);
    ASSERT_EQ(subjects().size(), 1u);
  }
  void expect_withdrawn() {
    ASSERT_EQ(subjects().size(), 2u);
    EXPECT_EQ(subjects()[1], "[撤销] 冷通道 过热 — hq/room1");
    EXPECT_THAT(outside.mails[1].second.body, HasSubstr("采集代理不再上报此测点"));
    ASSERT_EQ(room->alarms(0).size(), 1u);
    EXPECT_FALSE(room->alarms(0)[0].is_active);
    EXPECT_EQ(temperature().quality, "stale");
    EXPECT_FALSE(temperature().value);
    EXPECT_FALSE(temperature().is_reported);
  }
};

TEST_F(Births, APointThatIsAnnouncedNoLongerIsStaleAndItsAlarmIsWithdrawn) {
  be_hot();
  has_temperature = false;
  be_born();
  expect_withdrawn();
  EXPECT_EQ(room->status().points, 1u);
  pass(60s);
  EXPECT_EQ(subjects().size(), 2u) << "and it raises no alarm of its own";
}

TEST_F(Births, APointThatWasRemovedWhileTheCentreWasDownIsWithdrawnToo) {
  be_hot();
  happen(Delivered{outside.mails[0].first, {}});
  restart();
  has_temperature = false;
  be_born();
  expect_withdrawn();
}

TEST_F(Births, ADeviceThatIsAnnouncedNoLongerIsGoneOnceItsBirthCannotHaveBeenLost) {
  be_hot();
  node_is_born();
  pass(59s);
  EXPECT_EQ(subjects().size(), 1u);
  EXPECT_EQ(temperature().quality, "good");
  pass(2s);
  expect_withdrawn();
  EXPECT_EQ(device().communication, "removed");
}

TEST_F(Births, APointThatComesBackIsJudgedAgain) {
  be_hot();
  has_temperature = false;
  be_born();
  has_temperature = true;
  be_born();
  EXPECT_EQ(temperature().quality, "good");
  pass(31s);
  EXPECT_EQ(subjects().back(), "[重要] 冷通道 过热 — hq/room1");
}

TEST_F(Births, ADeviceThatAForeignNodeDoesNotAnnounceIsDeadNotGone) {
  be_hot();
  Payload birth;
  birth.seq = 0;
  birth.metrics = {{.name = "bdSeq", .value = bd_seq}};
  receive("spBv1.0/hq/NBIRTH/room1", birth);
  pass(80s);
  EXPECT_EQ(subjects().back(), "[重要] 冷通道 数据丢失 — hq/room1");
  EXPECT_TRUE(room->alarms(0)[0].is_active) << "and nobody knows how hot it is";
}

TEST_F(Births, NothingIsJudgedBetweenTheBirthsOfANodeAndItsDevices) {
  be_born();
  reads(22.0);
  const Timestamp since = device().since;
  pass(5s);
  node_is_born();
  pass(20s);
  EXPECT_EQ(temperature().quality, "good");
  device_is_born();
  pass(20s);
  EXPECT_TRUE(outside.mails.empty()) << subjects().back();
  EXPECT_EQ(device().since, since);
}

TEST_F(Births, ADeviceOfANodeThatCameBackIsNotBelievedBeforeItsOwnBirth) {
  be_born();
  reads(22.0);
  Payload death;
  death.metrics = {{.name = "bdSeq", .value = bd_seq}};
  receive("spBv1.0/hq/NDEATH/room1", death);
  node_is_born();
  EXPECT_EQ(temperature().quality, "unknown");
  device_is_born();
  EXPECT_EQ(temperature().quality, "good");
}

TEST_F(Births, DataOfADeviceWhoseBirthWasLostAreJudged) {
  be_born();
  node_is_born();
  reads(31.0);
  pass(31s);
  EXPECT_EQ(subjects(), std::vector<std::string>{"[重要] 冷通道 过热 — hq/room1"});
}

}  // namespace
}  // namespace watchroom::aggregator
