// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// "Below 18 °C raises; above 19 °C clears." At the limit is not below it.
class LowLimit final : public Condition {
 public:
  LowLimit(double raise_below, double clear_above) : raise_below_{raise_below}, clear_above_{clear_above} {}

  Verdict judge(const Situation& now) const override {
    if (now.quality != Quality::good || !now.value || now.contact != Contact::online) return Verdict::unknown;
    if (*now.value < raise_below_) return Verdict::holds;
    const bool is_back = *now.value > clear_above_ || clear_above_ == raise_below_;
    return is_back ? Verdict::gone : Verdict::between;
  }
  Bilingual explain(const Situation& now) const override {
    const auto value = now.value ? with_unit(*now.value, now.unit) : "?";
    const auto limit = with_unit(raise_below_, now.unit);
    return {fmt::format("{}，低于下限 {}", value, limit),
            fmt::format("{}, below the limit of {}", value, limit)};
  }
  std::optional<double> limit() const override { return raise_below_; }

 private:
  double raise_below_;
  double clear_above_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  const double raise_below = rule.number("raise_below", {.help = "Raised below this value"});
  const double clear_above =
      rule.number("clear_above", {.help = "Cleared above this value", .fallback = raise_below});
  if (clear_above < raise_below) rule.reject("clear_above", "a value not below raise_below");
  return std::make_unique<LowLimit>(raise_below, clear_above);
}

}  // namespace

extern const RuleKind low_limit{"low_limit", Subject::point, true, true, read, Direction::low};

std::unique_ptr<const Condition> below(double limit, double clear_above) {
  return std::make_unique<LowLimit>(limit, clear_above);
}

}  // namespace watchroom::aggregator
