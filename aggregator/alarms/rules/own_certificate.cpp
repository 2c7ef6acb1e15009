// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// The certificate of the aggregator or of its broker runs out and nobody renews it: then every room is dark
/// at once.
class OwnCertificate final : public Condition {
 public:
  explicit OwnCertificate(double raise_below) : raise_below_{raise_below} {}

  Verdict judge(const Situation& now) const override {
    if (!now.are_own_certificates_known) return Verdict::unknown;
    return now.own_certificate_days && *now.own_certificate_days < raise_below_ ? Verdict::holds
                                                                                : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override {
    const auto& [zh, en] = now.own_certificate;
    const auto& [why_zh, why_en] = now.own_certificate_trouble;
    const double days = now.own_certificate_days.value_or(0);
    if (days <= 0)
      return {fmt::format("{}已过期：{}", zh, why_zh), fmt::format("{} has run out: {}", en, why_en)};
    return {fmt::format("{} {:.0f} 天后过期：{}", zh, days, why_zh),
            fmt::format("{} runs out in {:.0f} days: {}", en, days, why_en)};
  }
  std::optional<double> limit() const override { return raise_below_; }

 private:
  double raise_below_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  return std::make_unique<OwnCertificate>(rule.number("raise_below", {.help = "Raised below so many days"}));
}

}  // namespace

extern const RuleKind own_certificate{"own_certificate", Subject::broker, false, false, read};

}  // namespace watchroom::aggregator
