// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// The certificate of an agent that cannot tell of it itself runs out: when it comes back it may not get in.
class OfflineCertificate final : public Condition {
 public:
  explicit OfflineCertificate(double raise_below) : raise_below_{raise_below} {}

  Verdict judge(const Situation& now) const override {
    if (now.contact == Contact::online) return Verdict::gone;  // its own points tell
    if (!now.are_certificates_known || now.contact == Contact::unknown) return Verdict::unknown;
    return now.certificate_days && *now.certificate_days < raise_below_ ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override {
    const double days = now.certificate_days.value_or(0);
    if (days <= 0)
      return {"采集代理离线，其证书已过期", "the agent is offline and its certificate has run out"};
    return {fmt::format("采集代理离线，其证书 {:.0f} 天后过期", days),
            fmt::format("the agent is offline and its certificate runs out in {:.0f} days", days)};
  }
  std::optional<double> limit() const override { return raise_below_; }

 private:
  double raise_below_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  return std::make_unique<OfflineCertificate>(
      rule.number("raise_below", {.help = "Raised below so many days"}));
}

}  // namespace

extern const RuleKind offline_certificate{"offline_certificate", Subject::agent, false, false, read};

}  // namespace watchroom::aggregator
