// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised while an agent does not trust its clock: nobody can tell when its backlog was read.
class ClockUnsure final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    if (now.contact != Contact::online) return Verdict::between;
    if (!now.is_clock_unsure) return Verdict::unknown;
    return *now.is_clock_unsure ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation&) const override {
    return {
        "采集代理的时钟未校准，读数以监控中心收到的时间为准",
        "the agent does not trust its clock: its readings have the time at which the centre received them"};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<ClockUnsure>(); }

}  // namespace

extern const RuleKind clock_unsure{"clock_unsure", Subject::agent, false, false, read};

}  // namespace watchroom::aggregator
