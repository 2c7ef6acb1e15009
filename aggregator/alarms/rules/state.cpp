// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <vector>

#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

enum class Raise { when_named, unless_named };

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Bilingual explain_state(const Situation& now) {
  const std::string code = now.value ? fmt::format("{}", *now.value) : "?";
  return {fmt::format("状态：{}", now.state_zh.empty() ? code : now.state_zh),
          fmt::format("state: {}", now.state_en.empty() ? code : now.state_en)};
}

bool is_known(const Situation& now) {
  return now.quality == Quality::good && now.value && now.contact == Contact::online;
}

/// Raised while the point's code is one of a profile's.
class InCodes final : public Condition {
 public:
  explicit InCodes(std::vector<std::int64_t> codes) : codes_{std::move(codes)} {}

  Verdict judge(const Situation& now) const override {
    if (!is_known(now)) return Verdict::unknown;
    const bool is_in = std::any_of(codes_.begin(), codes_.end(), [&](std::int64_t code) {
      return static_cast<double>(code) == *now.value;
    });
    return is_in ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override { return explain_state(now); }

 private:
  std::vector<std::int64_t> codes_;
};

/// Raised while the point is in one of the named states, or in any other, given as raw code or as the
/// profile's text in either language ("wet", "有水", "1"); capitals do not matter. With
/// `unless_named` a raw code counts only where the profile has no text.
class InState final : public Condition {
 public:
  InState(std::vector<std::string> states, Raise raise) : states_{std::move(states)}, raise_{raise} {
    for (std::string& state : states_) state = lower_case(std::move(state));
  }

  Verdict judge(const Situation& now) const override {
    if (!is_known(now)) return Verdict::unknown;
    const std::string code = fmt::format("{}", *now.value);
    const std::string english = lower_case(now.state_en);
    const bool is_named = std::any_of(states_.begin(), states_.end(), [&](const std::string& state) {
      return state == english || state == now.state_zh || (state == code && counts_by_code(now));
    });
    return is_named == (raise_ == Raise::when_named) ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override { return explain_state(now); }

 private:
  /// What is normal by its text in one device is an alarm by its number in another.
  bool counts_by_code(const Situation& now) const {
    return raise_ == Raise::when_named || (now.state_en.empty() && now.state_zh.empty());
  }

  std::vector<std::string> states_;
  Raise raise_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  if (rule.has("raise_unless") && !rule.has("raise_when"))
    return std::make_unique<InState>(
        rule.scalars("raise_unless", "The states that do not raise; every other one does"),
        Raise::unless_named);
  auto states = rule.scalars("raise_when", "The states that raise: texts of the profile or raw codes");
  if (states.empty()) rule.reject("raise_when", "a list of at least one state, such as [\"wet\"] or [1]");
  return std::make_unique<InState>(std::move(states), Raise::when_named);
}

}  // namespace

extern const RuleKind state{"state", Subject::point, false, true, read, Direction::state};

std::unique_ptr<const Condition> in_codes(std::vector<std::int64_t> codes) {
  return std::make_unique<InCodes>(std::move(codes));
}

}  // namespace watchroom::aggregator
