// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/alarms/rules/condition.hpp"

namespace watchroom::aggregator {
namespace {

/// Somebody tries passwords, codes or tokens: the throttle slows it down, but only people can end it.
class RefusedLogIns final : public Condition {
 public:
  RefusedLogIns(double raise_above, double clear_below)
      : raise_above_{raise_above}, clear_below_{clear_below} {}

  Verdict judge(const Situation& now) const override {
    if (!now.refusals) return Verdict::unknown;
    const auto count = static_cast<double>(now.refusals->count);
    if (count > raise_above_) return Verdict::holds;
    // Shortly after a start nobody knows what was before it.
    return now.refusals->is_whole && count < clear_below_ ? Verdict::gone : Verdict::between;
  }
  Bilingual explain(const Situation& now) const override {
    const Refusals told = now.refusals.value_or(Refusals{});
    const bool has_name = !told.last_name.empty();
    return {fmt::format("10 分钟内有 {} 次登录或登记被拒绝，来自 {} 个地址，最近一次是来自 {} 的{}。"
                        "请在审计日志中查明来源并封锁其地址；若不是自己人所为，请更换被试探的密码和令牌",
                        told.count, told.addresses, told.last_address,
                        has_name ? fmt::format("用户名“{}”", told.last_name) : "令牌、会话或证书"),
            fmt::format(
                "{} log-ins or enrolments were refused within 10 minutes, from {} {}, the last one with "
                "{} from {}. Look in the audit log for where they come from and block it; if it is "
                "nobody of yours, change the passwords and tokens that were tried",
                told.count, told.addresses, told.addresses == 1 ? "address" : "addresses",
                has_name ? fmt::format("the name \"{}\"", told.last_name) : "a token, session or certificate",
                told.last_address)};
  }
  std::optional<double> limit() const override { return raise_above_; }

 private:
  double raise_above_, clear_below_;
};

std::unique_ptr<const Condition> read(const SettingsTable& rule) {
  const double raise_above =
      rule.number("raise_above", {.help = "Raised above so many refusals in ten minutes", .least = 1});
  const double clear_below = rule.number(
      "clear_below", {.help = "Cleared below so many in ten minutes", .fallback = raise_above, .least = 1});
  if (clear_below > raise_above) rule.reject("clear_below", "a value not above raise_above");
  return std::make_unique<RefusedLogIns>(raise_above, clear_below);
}

}  // namespace

extern const RuleKind refused_log_ins{"refused_log_ins", Subject::broker, false, false, read};

}  // namespace watchroom::aggregator
