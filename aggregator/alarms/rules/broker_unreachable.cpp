// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised when the aggregator itself has lost the broker: one alarm instead of one an agent.
class BrokerUnreachable final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    return now.contact == Contact::online ? Verdict::gone : Verdict::holds;
  }
  Bilingual explain(const Situation& now) const override {
    return {
        now.reason_zh.empty() ? "监控中心无法连接消息服务器，所有采集代理状态未知" : now.reason_zh,
        now.reason_en.empty() ? "the centre cannot reach the broker; all agents are unknown" : now.reason_en};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<BrokerUnreachable>(); }

}  // namespace

extern const RuleKind broker_unreachable{"broker_unreachable", Subject::broker, false, false, read};

}  // namespace watchroom::aggregator
