// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised while what people do cannot be written down, or the log was changed behind our back.
class AuditFailing final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    if (!now.is_audit_failing) return Verdict::unknown;
    return *now.is_audit_failing ? Verdict::holds : Verdict::gone;
  }
  Bilingual explain(const Situation& now) const override { return now.audit_trouble; }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<AuditFailing>(); }

}  // namespace

extern const RuleKind audit_failing{"audit_failing", Subject::broker, false, false, read};

}  // namespace watchroom::aggregator
