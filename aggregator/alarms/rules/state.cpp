// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <vector>

#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised while the point is in one of the named states, given as raw code or as the profile's text in either
/// language ("wet", "有水", "1").
class InState final : public Condition {
 public:
  explicit InState(std::vector<std::string> states) : states_{std::move(states)} {}

  Verdict judge(const Situation& now) const override {
    if (now.quality != Quality::good || !now.value || now.contact != Contact::online) return Verdict::unknown;
    const std::string code = fmt::format("{}", *now.value);
    const bool is_named = std::any_of(states_.begin(), states_.end(), [&](const std::string& state) {
      return state == code || state == now.state_en || state == now.state_zh;
    });
    return is_named ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override {
    const std::string code = now.value ? fmt::format("{}", *now.value) : "?";
    return {fmt::format("状态：{}", now.state_zh.empty() ? code : now.state_zh),
            fmt::format("state: {}", now.state_en.empty() ? code : now.state_en)};
  }

 private:
  std::vector<std::string> states_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  auto states = rule.scalars("raise_when", "The states that raise: texts of the profile or raw codes");
  if (states.empty()) rule.reject("raise_when", "a list of at least one state, such as [\"wet\"] or [1]");
  return std::make_unique<InState>(std::move(states));
}

}  // namespace

extern const RuleKind state{"state", Subject::point, false, true, read};

}  // namespace watchroom::aggregator
