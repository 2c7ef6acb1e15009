// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised when the broker says that an agent is gone. While the broker itself is out of reach its agents are
/// unknown, which neither raises nor clears.
class AgentOffline final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    switch (now.contact) {
      case Contact::online: return Verdict::gone;
      case Contact::offline: return Verdict::holds;
      case Contact::unknown: return Verdict::unknown;
    }
    return Verdict::unknown;
  }
  Bilingual explain(const Situation& now) const override {
    return {now.reason_zh.empty() ? "与消息服务器的连接已断开" : now.reason_zh,
            now.reason_en.empty() ? "its connection to the broker has ended" : now.reason_en};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<AgentOffline>(); }

}  // namespace

extern const RuleKind agent_offline{"agent_offline", Subject::agent, false, false, read};

}  // namespace watchroom::aggregator
