// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Raised when values stay away. A device that does not answer is one alarm on its communication.state, not
/// one a point; an agent out of reach is its own alarm, and says nothing about its devices.
class LostData final : public Condition {
 public:
  Verdict judge(const Situation& now) const override {
    // Where the cause lies farther off, what was about to be raised is not; what is raised stays.
    if (now.contact != Contact::online) return Verdict::between;
    if (now.is_communication_point) return now.device_answers ? Verdict::gone : Verdict::holds;
    if (!now.device_answers) return Verdict::between;
    return now.quality == Quality::good ? Verdict::gone : Verdict::holds;
  }
  Bilingual explain(const Situation& now) const override {
    return {now.reason_zh.empty() ? "没有有效数据" : now.reason_zh,
            now.reason_en.empty() ? "no valid data" : now.reason_en};
  }
};

std::unique_ptr<const Condition> read(const SettingsTable&) { return std::make_unique<LostData>(); }

}  // namespace

extern const RuleKind lost_data{"lost_data", Subject::point, false, false, read};

}  // namespace watchroom::aggregator
