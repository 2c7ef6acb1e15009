// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

class LowLimitCondition final : public Condition {
 public:
  explicit LowLimitCondition(const LowLimit& limit) : limit_{limit} {}

  Verdict judge(const Situation& now) const override { return watchroom::judge(limit_, facts_of(now)); }
  Bilingual explain(const Situation& now) const override {
    const auto value = now.value ? with_unit(*now.value, now.unit) : "?";
    const auto limit = with_unit(limit_.raise_below, now.unit);
    return {fmt::format("{}，低于下限 {}", value, limit),
            fmt::format("{}, below the limit of {}", value, limit)};
  }
  std::optional<double> limit() const override { return limit_.raise_below; }

 private:
  LowLimit limit_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  return std::make_unique<LowLimitCondition>(read_low_limit(rule));
}

}  // namespace

extern const RuleKind low_limit{"low_limit", Subject::point, true, true, read, Direction::low};

std::unique_ptr<const Condition> below(double limit, double clear_above) {
  return std::make_unique<LowLimitCondition>(LowLimit{limit, clear_above});
}

}  // namespace watchroom::aggregator
