// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Two agents use one name and throw each other out of the broker: its certificate and key were copied.
class ClonedAgent final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    if (!now.is_cloned) return Verdict::unknown;
    return *now.is_cloned ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation&) const override {
    return {
        "两个采集代理以同一身份轮流上线，互相踢下线，读数不可信：证书与私钥可能被复制。"
        "处理：watchroom revoke 吊销后重新登记真正的控制器；若是同一代理误启动了两份，停掉一份",
        "two agents come under this name in turn and throw each other out, the readings cannot be trusted: "
        "certificate and key may have been copied. Revoke it (watchroom revoke), then enrol the real "
        "controller anew; if one agent was started twice by mistake, stop one"};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<ClonedAgent>(); }

}  // namespace

extern const RuleKind cloned_agent{"cloned_agent", Subject::agent, false, false, read};

}  // namespace watchroom::aggregator
