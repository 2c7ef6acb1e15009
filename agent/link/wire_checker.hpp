// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "messages/sparkplug_b.pb.h"
#include "proto/link/mqtt_session.hpp"
#include "proto/link/payload.hpp"
#include "proto/link/topic.hpp"

namespace watchroom::agent {

/// For tests: sees every message of one edge node as a passive tap on the broker does, and fails the test on
/// whatever Sparkplug 3.0.0 or our journal forbids, also what public checkers do not notice (a skipped seq,
/// DATA before its DBIRTH, a metric that was never announced).
class WireChecker {
 public:
  void connected(const MqttMessage& will) {
    const auto topic = Topic::parse(will.topic);
    ASSERT_TRUE(topic && topic->verb == Verb::ndeath) << will.topic;
    EXPECT_EQ(will.qos, Qos::at_least_once);  // payloads-ndeath-will-message-qos
    EXPECT_FALSE(will.retain);
    const std::int64_t bd_seq = check_death(will.payload);
    // One step a CONNECT.
    EXPECT_EQ(bd_seq, bd_seq_ ? (*bd_seq_ + 1) % 256 : bd_seq);
    bd_seq_ = bd_seq;
    next_seq_.reset();
    born_.clear();
  }

  /// `qos` and `retain` are those of the publisher.
  void saw(const MqttMessage& message) {
    const auto topic = Topic::parse(message.topic);
    ASSERT_TRUE(topic) << message.topic;
    SCOPED_TRACE(message.topic);
    EXPECT_FALSE(message.retain);
    if (topic->verb == Verb::ndeath) {
      EXPECT_EQ(message.qos, Qos::at_least_once);
      EXPECT_EQ(check_death(message.payload), bd_seq_);
      return;
    }
    EXPECT_EQ(message.qos, Qos::at_most_once);
    const auto payload = decode(message.payload);
    ASSERT_TRUE(payload) << payload.error().text;
    check_seq(topic->verb, *payload);
    check_metrics(topic->verb, *payload, message.payload);
    switch (topic->verb) {
      case Verb::nbirth: take_node_birth(*payload); break;
      case Verb::dbirth: take_device_birth(*topic, *payload); break;
      case Verb::ddeath:
        EXPECT_TRUE(born_.contains(topic->device)) << "DDEATH of a device that is not born";
        EXPECT_TRUE(payload->metrics.empty());
        born_.erase(topic->device);
        break;
      case Verb::ddata: check_data(*topic, *payload); break;
      case Verb::ndata: break;
      default: ADD_FAILURE() << "an edge node does not send this";
    }
  }

 private:
  static std::int64_t check_death(const std::string& bytes) {
    const auto death = decode(bytes);
    EXPECT_TRUE(death);
    EXPECT_FALSE(death->seq);              // topics-ndeath-seq-num
    EXPECT_EQ(death->metrics.size(), 1u);  // topics-ndeath-payload
    org::eclipse::tahu::protobuf::Payload raw;
    EXPECT_TRUE(raw.ParseFromString(bytes));
    EXPECT_EQ(raw.metrics(0).datatype(), 4u);  // Int64
    return std::get<std::int64_t>(death->find(metric_names::bd_seq)->value.value());
  }

  void check_seq(Verb verb, const Payload& payload) {
    ASSERT_TRUE(payload.seq);  // payloads-sequence-num-always-included
    if (verb == Verb::nbirth) {
      EXPECT_EQ(*payload.seq, 0);  // topics-nbirth-seq-num
    } else {
      ASSERT_TRUE(next_seq_) << "the first message of a session is its NBIRTH";
      EXPECT_EQ(*payload.seq, *next_seq_);  // payloads-sequence-num-incrementing
    }
    next_seq_ = static_cast<std::uint8_t>(*payload.seq + 1);
    EXPECT_TRUE(payload.at);
  }

  static void check_metrics(Verb verb, const Payload& payload, const std::string& bytes) {
    const bool is_birth = verb == Verb::nbirth || verb == Verb::dbirth;
    org::eclipse::tahu::protobuf::Payload raw;
    ASSERT_TRUE(raw.ParseFromString(bytes));
    for (const auto& metric : raw.metrics()) {
      EXPECT_TRUE(metric.has_name());
      EXPECT_FALSE(metric.has_alias());
      EXPECT_TRUE(metric.has_timestamp()) << metric.name();  // payloads-name-birth-data-requirement
      EXPECT_EQ(metric.has_datatype(), is_birth) << metric.name();
    }
    std::optional<Timestamp> last;
    for (const Metric& metric : payload.metrics) {
      EXPECT_LE(last.value_or(*metric.at), *metric.at) << metric.name << ": not in time order";
      last = metric.at;
      EXPECT_FALSE(is_birth && metric.is_historical);
      // Live and historical are never mixed in one payload.
      EXPECT_EQ(metric.is_historical, payload.metrics.front().is_historical);
    }
  }

  void take_node_birth(const Payload& birth) {
    EXPECT_EQ(birth.find(metric_names::bd_seq)->value, Value{*bd_seq_});  // payloads-nbirth-bdseq-repeat
    EXPECT_EQ(birth.find(metric_names::rebirth)->value, Value{false});
    for (const auto name :
         {metric_names::journal_ack, metric_names::journal_head, metric_names::journal_oldest,
          metric_names::journal_lost, metric_names::journal_state, metric_names::journal_moved_aside,
          metric_names::journal_dropped_polls, metric_names::name, metric_names::version,
          metric_names::heartbeat})
      EXPECT_NE(birth.find(name), nullptr) << name;
    born_.clear();
  }

  void take_device_birth(const Topic& topic, const Payload& birth) {
    auto& announced = born_[topic.device];
    announced.clear();
    for (const Metric& metric : birth.metrics)
      EXPECT_TRUE(announced.insert(metric.name).second) << metric.name;
  }

  void check_data(const Topic& topic, const Payload& data) {
    ASSERT_TRUE(born_.contains(topic.device)) << "DDATA of a device that is not born";
    EXPECT_FALSE(data.metrics.empty());
    for (const Metric& metric : data.metrics)
      EXPECT_TRUE(born_[topic.device].contains(metric.name)) << metric.name << " was never announced";
  }

  std::optional<std::int64_t> bd_seq_;
  std::optional<std::uint8_t> next_seq_;
  std::map<std::string, std::set<std::string>> born_;
};

}  // namespace watchroom::agent
