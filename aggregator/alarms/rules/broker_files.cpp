// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised while the broker's list of revoked certificates or its rules cannot be kept as they should be: a
/// revoked agent may still get in, and a list that runs out would let nobody in.
class BrokerFilesTrouble final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    if (!now.broker_files_trouble) return Verdict::unknown;
    return now.broker_files_trouble->empty() ? Verdict::gone : Verdict::holds;
  }
  Bilingual explain(const Situation& now) const override {
    const std::string what = now.broker_files_trouble.value_or("");
    return {
        fmt::format("消息服务器的吊销列表或权限文件未能更新：{}", what),
        fmt::format("the broker's list of revoked certificates or its rules are not up to date: {}", what)};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<BrokerFilesTrouble>(); }

}  // namespace

extern const RuleKind broker_files{"broker_files", Subject::broker, false, false, read};

}  // namespace watchroom::aggregator
