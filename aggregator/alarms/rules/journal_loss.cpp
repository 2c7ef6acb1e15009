// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised when an agent had to drop records that nobody had taken yet.
class JournalLoss final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    if (!now.is_journal_losing) return Verdict::unknown;
    return *now.is_journal_losing ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override {
    return {fmt::format("采集代理的日志已满，累计丢失 {} 条记录", now.records_lost),
            fmt::format("its journal overflowed: {} records lost so far", now.records_lost)};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<JournalLoss>(); }

}  // namespace

extern const RuleKind journal_loss{"journal_loss", Subject::agent, false, false, read};

}  // namespace watchroom::aggregator
