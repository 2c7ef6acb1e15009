// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

class HighLimitCondition final : public Condition {
 public:
  explicit HighLimitCondition(const HighLimit& limit) : limit_{limit} {}

  Verdict judge(const Situation& now) const override { return watchroom::judge(limit_, facts_of(now)); }
  Bilingual explain(const Situation& now) const override {
    const auto value = now.value ? with_unit(*now.value, now.unit) : "?";
    const auto limit = with_unit(limit_.raise_above, now.unit);
    return {fmt::format("{}，高于上限 {}", value, limit),
            fmt::format("{}, above the limit of {}", value, limit)};
  }
  std::optional<double> limit() const override { return limit_.raise_above; }

 private:
  HighLimit limit_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  return std::make_unique<HighLimitCondition>(read_high_limit(rule));
}

}  // namespace

extern const RuleKind high_limit{"high_limit", Subject::point, true, true, read, Direction::high};

std::unique_ptr<const Condition> above(double limit, double clear_below) {
  return std::make_unique<HighLimitCondition>(HighLimit{limit, clear_below});
}

}  // namespace watchroom::aggregator
