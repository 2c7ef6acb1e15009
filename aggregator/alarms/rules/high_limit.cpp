// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// "Above 28 °C raises; below 26 °C clears." At the limit is not above it.
class HighLimit final : public Condition {
 public:
  HighLimit(double raise_above, double clear_below) : raise_above_{raise_above}, clear_below_{clear_below} {}

  Verdict judge(const Situation& now) const override {
    if (now.quality != Quality::good || !now.value || now.contact != Contact::online) return Verdict::unknown;
    if (*now.value > raise_above_) return Verdict::holds;
    // Without hysteresis the limit itself is not beyond it, so it is back behind it: a count above 0.
    const bool is_back = *now.value < clear_below_ || clear_below_ == raise_above_;
    return is_back ? Verdict::gone : Verdict::between;
  }
  Bilingual explain(const Situation& now) const override {
    const auto value = now.value ? with_unit(*now.value, now.unit) : "?";
    const auto limit = with_unit(raise_above_, now.unit);
    return {fmt::format("{}，高于上限 {}", value, limit),
            fmt::format("{}, above the limit of {}", value, limit)};
  }
  std::optional<double> limit() const override { return raise_above_; }

 private:
  double raise_above_;
  double clear_below_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  const double raise_above = rule.number("raise_above", {.help = "Raised above this value"});
  const double clear_below =
      rule.number("clear_below", {.help = "Cleared below this value", .fallback = raise_above});
  if (clear_below > raise_above) rule.reject("clear_below", "a value not above raise_above");
  return std::make_unique<HighLimit>(raise_above, clear_below);
}

}  // namespace

extern const RuleKind high_limit{"high_limit", Subject::point, true, true, read, Direction::high};

std::unique_ptr<const Condition> above(double limit, double clear_below) {
  return std::make_unique<HighLimit>(limit, clear_below);
}

}  // namespace watchroom::aggregator
