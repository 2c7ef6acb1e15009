// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/intake/host.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "messages/sparkplug_b.pb.h"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

const NodeKey room1{"hq", "room1"};
const JournalId journal{7};

class HostTest : public ::testing::Test {
 protected:
  HostTest() {
    host.connected(1000, at(0ms));
    hear_state(true, 1000);
  }
  void hear_state(bool online, std::int64_t timestamp_ms) {
    host.receive("spBv1.0/STATE/watchroom", HostState{online, timestamp_ms}.str(), at(0ms));
  }

  static Steady at(std::chrono::milliseconds since) { return Steady{since + 1h}; }
  static std::string node_birth(std::int64_t bd_seq, std::optional<std::int64_t> head = 0) {
    Payload payload;
    payload.seq = 0;
    payload.metrics = {{.name = "bdSeq", .value = bd_seq}};
    if (head) payload.metrics.push_back({.name = "Journal/Head", .value = *head});
    return encode(payload, WithDatatypes::yes);
  }
  static std::string data(std::uint8_t seq, std::uint64_t record, std::uint64_t oldest = 1) {
    Payload payload;
    payload.seq = seq;
    payload.metrics = {{.name = "ambient.temperature", .value = 20.0}};
    payload.journal = JournalStamp{journal, record, oldest};
    return encode(payload, WithDatatypes::no);
  }
  static std::string node_death(std::int64_t bd_seq) {
    Payload payload;
    payload.metrics = {{.name = "bdSeq", .value = bd_seq}};
    return encode(payload, WithDatatypes::no);
  }
  void be_born(std::int64_t bd_seq = 0) {
    ASSERT_TRUE(host.receive("spBv1.0/hq/NBIRTH/room1", node_birth(bd_seq), at(0ms)));
    Payload device;
    device.seq = 1;
    ASSERT_TRUE(host.receive("spBv1.0/hq/DBIRTH/room1/th1", encode(device, WithDatatypes::yes), at(0ms)));
  }
  std::optional<Arrival> receive_data(std::uint8_t seq, std::uint64_t record,
                                      std::chrono::milliseconds when = 0ms) {
    return host.receive("spBv1.0/hq/DDATA/room1/th1", data(seq, record), at(when));
  }
  /// The values of the commands due at `when`: "true" for a rebirth request, else the acknowledgement.
  std::vector<std::string> commands(std::chrono::milliseconds when) {
    std::vector<std::string> texts;
    for (const MqttMessage& message : host.take_commands(from_ms(0), at(when))) {
      EXPECT_EQ(message.qos, Qos::at_most_once);  // payloads-ncmd-qos
      EXPECT_FALSE(message.retain);
      const auto payload = decode(message.payload);
      EXPECT_EQ(payload->at, from_ms(0)) << "agents take the time from it";
      EXPECT_FALSE(payload->seq);  // payloads-ncmd-seq
      texts.push_back(to_text(*payload->metrics.at(0).value));
    }
    return texts;
  }

  Host host{{.host_id = "watchroom"}, Log::quiet()};
};

TEST_F(HostTest, AcknowledgesOnlyWhatIsCommitted) {
  be_born();
  EXPECT_TRUE(receive_data(2, 1));
  EXPECT_TRUE(commands(10ms).empty());
  host.committed();
  EXPECT_EQ(commands(20ms), std::vector{to_hex(journal) + " watchroom 1"});
}

TEST_F(HostTest, AFailedCommitIsNotAcknowledgedAndTheRecordIsFreshAgain) {
  be_born();
  receive_data(2, 1);
  host.committed();
  (void)commands(10ms);
  receive_data(3, 2);
  host.rolled_back();
  EXPECT_EQ(commands(2000ms), std::vector{to_hex(journal) + " watchroom 1"});
  EXPECT_TRUE(receive_data(4, 2));
}

TEST_F(HostTest, DropsADuplicateAndAcknowledgesItAgain) {
  be_born();
  receive_data(2, 1);
  host.committed();
  (void)commands(10ms);
  EXPECT_FALSE(receive_data(3, 1, 5s));
  EXPECT_EQ(commands(5s).size(), 1u);
  EXPECT_EQ(host.counters(room1).duplicates, 1u);
}

TEST_F(HostTest, AcknowledgesAtMostOnceAnInterval) {
  be_born();
  receive_data(2, 1);
  host.committed();
  EXPECT_EQ(commands(0ms).size(), 1u);
  receive_data(3, 2);
  host.committed();
  EXPECT_TRUE(commands(900ms).empty());
  EXPECT_EQ(commands(1000ms).size(), 1u);
}

TEST_F(HostTest, AGapThatStaysOpenAsksForOneRebirthAnInterval) {
  be_born();
  EXPECT_TRUE(receive_data(5, 4));  // alarms do not wait for order
  EXPECT_TRUE(commands(1900ms).empty());
  EXPECT_EQ(commands(2000ms), std::vector<std::string>{"true"});
  EXPECT_TRUE(commands(5000ms).empty());
  EXPECT_EQ(commands(12'000ms), std::vector<std::string>{"true"});
}

TEST_F(HostTest, AGapThatClosesAsksForNothing) {
  be_born();
  receive_data(3, 2);
  receive_data(2, 1, 500ms);
  EXPECT_TRUE(commands(3000ms).empty());
}

TEST_F(HostTest, DataBeforeABirthIsKeptAndABirthIsAskedFor) {
  const auto arrival = receive_data(2, 1);
  ASSERT_TRUE(arrival);
  EXPECT_TRUE(arrival->is_record);
  EXPECT_EQ(commands(1000ms), std::vector<std::string>{"true"});
}

TEST_F(HostTest, RebirthRequestsToAllTogetherAreThrottled) {
  for (int i = 0; i < 100; ++i)
    host.receive("spBv1.0/hq/DDATA/node" + std::to_string(i) + "/d", data(2, 1), at(0ms));
  std::size_t asked = 0;
  for (auto when = 0ms; when <= 1000ms; when += 100ms) asked += commands(when).size();
  EXPECT_LE(asked, 21u);
  EXPECT_GE(asked, 15u);
}

TEST_F(HostTest, OnlyTheDeathOfTheCurrentSessionCounts) {
  be_born(5);
  EXPECT_FALSE(host.receive("spBv1.0/hq/NDEATH/room1", node_death(4), at(1s)));
  EXPECT_EQ(host.contact(room1), Contact::online);
  EXPECT_TRUE(host.receive("spBv1.0/hq/NDEATH/room1", node_death(5), at(1s)));
  EXPECT_EQ(host.contact(room1), Contact::offline);
  EXPECT_FALSE(host.receive("spBv1.0/hq/NDEATH/room1", node_death(5), at(1s)));
}

TEST_F(HostTest, LosingTheBrokerMakesAgentsUnknownAndOnlyALongSilenceOffline) {
  be_born();
  host.disconnected();
  EXPECT_EQ(host.contact(room1), Contact::unknown);
  host.connected(2000, at(60s));
  EXPECT_TRUE(host.take_given_up(at(100s)).empty());
  EXPECT_EQ(host.take_given_up(at(120s)), std::vector{room1});
  EXPECT_EQ(host.contact(room1), Contact::offline);
}

TEST_F(HostTest, ResolvesAliasesFromBirths) {
  Payload birth;
  birth.seq = 0;
  birth.metrics = {{.name = "bdSeq", .value = std::int64_t{1}},
                   {.name = "Temperature", .alias = 9, .value = 1.0}};
  host.receive("spBv1.0/g/NBIRTH/n", encode(birth, WithDatatypes::yes), at(0ms));
  Payload news;
  news.seq = 1;
  news.metrics = {{.name = "", .alias = 9, .value = 2.0}, {.name = "", .alias = 10, .value = 3.0}};
  const auto arrival = host.receive("spBv1.0/g/NDATA/n", encode(news, WithDatatypes::no), at(0ms));
  ASSERT_TRUE(arrival);
  EXPECT_TRUE(arrival->is_record);  // a node without journal
  ASSERT_EQ(arrival->payload.metrics.size(), 1u);
  EXPECT_EQ(arrival->payload.metrics[0].name, "Temperature");
  EXPECT_EQ(commands(1000ms), std::vector<std::string>{"true"});  // for alias 10
}

TEST_F(HostTest, ReadsIntegersOfOthersAsTheirBirthDeclaredThem) {
  be_born();
  constexpr std::uint32_t int16 = 2;
  org::eclipse::tahu::protobuf::Payload birth;
  birth.set_seq(2);
  auto* declared = birth.add_metrics();
  declared->set_name("outdoor");
  declared->set_alias(9);
  declared->set_datatype(int16);
  declared->set_int_value(4);
  ASSERT_TRUE(host.receive("spBv1.0/hq/DBIRTH/room1/plc", birth.SerializeAsString(), at(0ms)));
  org::eclipse::tahu::protobuf::Payload frost;
  frost.set_seq(3);
  frost.add_metrics()->set_alias(9);
  frost.mutable_metrics(0)->set_int_value(0xFFFFFFF6u);
  const auto arrival = host.receive("spBv1.0/hq/DDATA/room1/plc", frost.SerializeAsString(), at(1s));
  ASSERT_TRUE(arrival);
  EXPECT_EQ(arrival->payload.metrics.at(0).value, Value{std::int64_t{-10}});
}

TEST_F(HostTest, AnswersAnOldDeathOfItsOwnButFightsNoOtherHost) {
  host.receive("spBv1.0/STATE/watchroom", HostState{false, 900}.str(), at(0ms));
  const auto messages = host.take_commands(from_ms(0), at(1ms));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].payload, R"({"online":true,"timestamp":1000})");
  EXPECT_TRUE(messages[0].retain);
  host.receive("spBv1.0/STATE/watchroom", HostState{false, 5000}.str(), at(0ms));
  EXPECT_TRUE(host.take_commands(from_ms(0), at(2ms)).empty());
}

TEST_F(HostTest, SaysItsStateAgainUntilTheBrokerSendsItBack) {
  const auto states = [this](std::chrono::milliseconds when) {
    std::vector<std::string> said;
    for (const MqttMessage& message : host.take_commands(from_ms(0), at(when))) {
      EXPECT_EQ(message.topic, "spBv1.0/STATE/watchroom");
      EXPECT_TRUE(message.retain);
      said.push_back(message.payload);
    }
    return said;
  };
  const std::vector<std::string> again{R"({"online":true,"timestamp":2000})"};
  EXPECT_TRUE(states(1h).empty()) << "it was heard";
  host.disconnected();
  host.connected(2000, at(1h));
  hear_state(true, 1000);  // what the broker still holds from an earlier connection
  EXPECT_TRUE(states(1h + 4'999ms).empty());
  EXPECT_EQ(states(1h + 5s), again);
  EXPECT_TRUE(states(1h + 9'999ms).empty());
  EXPECT_EQ(states(1h + 10s), again);
  host.disconnected();
  EXPECT_TRUE(states(1h + 15s).empty()) << "nobody is there to hear it";
  host.connected(2000, at(2h));
  hear_state(true, 2000);
  EXPECT_TRUE(states(3h).empty());
}

TEST_F(HostTest, TheAnswerToAnOldDeathOfItsOwnIsAlsoToBeHeard) {
  hear_state(false, 900);
  EXPECT_EQ(host.take_commands(from_ms(0), at(1s)).size(), 1u);
  EXPECT_TRUE(host.take_commands(from_ms(0), at(5'999ms)).empty());
  EXPECT_EQ(host.take_commands(from_ms(0), at(6s)).size(), 1u);
  hear_state(true, 1000);
  EXPECT_TRUE(host.take_commands(from_ms(0), at(1h)).empty());
}

TEST_F(HostTest, AJournalThatWentBackBeginsANewGenerationInsteadOfLosingItsRecords) {
  be_born(1);
  for (std::uint64_t record = 1; record <= 5; ++record)
    receive_data(static_cast<std::uint8_t>(record + 1), record);
  host.committed();
  host.receive("spBv1.0/hq/NBIRTH/room1", node_birth(2, 3), at(1s));
  const auto arrival = host.receive("spBv1.0/hq/DDATA/room1/th1", data(1, 4), at(1s));
  ASSERT_TRUE(arrival);
  EXPECT_EQ(arrival->generation, 1);
}

TEST_F(HostTest, AStampOnABirthIsNoRecord) {
  be_born();
  ASSERT_TRUE(host.receive("spBv1.0/hq/NBIRTH/room1", node_birth(1, std::nullopt), at(0ms)));
  ASSERT_TRUE(receive_data(1, 7));
  Payload birth = *decode(node_birth(2, std::nullopt));
  birth.journal = JournalStamp{journal, 7, 1};
  for (const auto* topic : {"spBv1.0/hq/NBIRTH/room1", "spBv1.0/hq/DBIRTH/room1/th1"}) {
    const auto arrival = host.receive(topic, encode(birth, WithDatatypes::yes), at(0ms));
    ASSERT_TRUE(arrival);
    EXPECT_FALSE(arrival->payload.journal) << topic;
  }
}

TEST_F(HostTest, ANodeWhoseHeartbeatsStayAwayIsAskedAndThenOffline) {
  Payload birth = *decode(node_birth(1));
  birth.metrics.push_back({.name = "Properties/Heartbeat", .value = std::int64_t{30}});
  host.receive("spBv1.0/hq/NBIRTH/room1", encode(birth, WithDatatypes::yes), at(0s));
  host.committed();
  (void)commands(1s);
  Payload beat;
  beat.seq = 1;
  host.receive("spBv1.0/hq/NDATA/room1", encode(beat, WithDatatypes::no), at(30s));
  EXPECT_TRUE(commands(120s).empty());
  EXPECT_EQ(commands(121s), std::vector<std::string>{"true"});
  EXPECT_TRUE(host.take_given_up(at(150s)).empty());
  EXPECT_EQ(host.take_given_up(at(151s)), std::vector{room1});
  EXPECT_EQ(host.contact(room1), Contact::offline);
  EXPECT_TRUE(host.take_given_up(at(152s)).empty());
  beat.seq = 2;
  host.receive("spBv1.0/hq/NDATA/room1", encode(beat, WithDatatypes::no), at(160s));
  EXPECT_EQ(commands(160s), std::vector<std::string>{"true"}) << "it is back: what holds now?";
}

TEST_F(HostTest, ForeignTopicsAndBrokenPayloadsAreHarmless) {
  EXPECT_FALSE(host.receive("spBv1.0/hq/NCMD/room1", "", at(0ms)));
  EXPECT_FALSE(host.receive("nonsense", "x", at(0ms)));
  EXPECT_FALSE(host.receive("spBv1.0/hq/DDATA/room1/th1", "\xff\xff", at(0ms)));
  EXPECT_EQ(host.counters(room1).decode_errors, 1u);
}

}  // namespace
}  // namespace watchroom::aggregator
