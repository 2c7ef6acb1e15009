// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised while mails to somebody come back: people may not know what the page shows.
class MailUndeliverable final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    if (!now.is_mail_failing) return Verdict::unknown;
    return *now.is_mail_failing ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override {
    return {now.mail_trouble.zh, now.mail_trouble.en};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<MailUndeliverable>(); }

}  // namespace

extern const RuleKind mail_undeliverable{"mail_undeliverable", Subject::broker, false, false, read};

}  // namespace watchroom::aggregator
