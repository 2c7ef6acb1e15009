// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <vector>

#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

Bilingual explain_state(const Situation& now) {
  const std::string code = now.value ? fmt::format("{}", *now.value) : "?";
  return {fmt::format("状态：{}", now.state_zh.empty() ? code : now.state_zh),
          fmt::format("state: {}", now.state_en.empty() ? code : now.state_en)};
}

class InCodesCondition final : public Condition {
 public:
  explicit InCodesCondition(InCodes codes) : codes_{std::move(codes)} {}

  Verdict judge(const Situation& now) const override { return watchroom::judge(codes_, facts_of(now)); }
  Bilingual explain(const Situation& now) const override { return explain_state(now); }

 private:
  InCodes codes_;
};

class NamedStatesCondition final : public Condition {
 public:
  explicit NamedStatesCondition(NamedStates states) : states_{std::move(states)} {}

  Verdict judge(const Situation& now) const override { return states_.judge(facts_of(now)); }
  Bilingual explain(const Situation& now) const override { return explain_state(now); }

 private:
  NamedStates states_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  return std::make_unique<NamedStatesCondition>(read_named_states(rule));
}

}  // namespace

extern const RuleKind state{"state", Subject::point, false, true, read, Direction::state};

std::unique_ptr<const Condition> in_codes(std::vector<std::int64_t> codes) {
  return std::make_unique<InCodesCondition>(InCodes{std::move(codes)});
}

}  // namespace watchroom::aggregator
