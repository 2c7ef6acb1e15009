// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised when an agent's journal numbers go back: an old image of its disk was put back.
class JournalRestored final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    return now.was_journal_restored ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation&) const override {
    return {"日志编号倒退：采集代理的磁盘被恢复成了旧镜像，其间的记录可能缺失",
            "its journal went back: an old image of its disk was restored, records may be missing"};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<JournalRestored>(); }

}  // namespace

extern const RuleKind journal_restored{"journal_restored", Subject::agent, false, false, read};

}  // namespace watchroom::aggregator
