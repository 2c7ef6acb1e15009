// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Orders from outside: taken or refused, followed until they were read back, given up, or are over.
#include "agent/judge/judge.hpp"

namespace watchroom::agent {

/// What forbids it at once; empty: nothing.
std::string Judge::reason_against(std::size_t index, Drive drive, Instant now) const {
  const OutputSettings& settings = settings_.outputs[index];
  if (drive == Drive::keep) return "";
  if (!settings.takes_orders)
    return fmt::format("不接受命令 {} takes no orders (orders = false in the agent's settings)",
                       settings.name);
  if (drive == Drive::on && is_inhibited_)
    return fmt::format("被 {} 抑制 {} is inhibited by {}", inhibited_by_, settings.name, inhibited_by_);
  if (drive == Drive::off && wants_on(index, now))
    return fmt::format("联动 {} 要求保持开 the reaction {} wants {} on: it clears or is reset first",
                       who_wants(index, now), who_wants(index, now), settings.name);
  return "";
}

Result<void> Judge::order(const std::string& name, JudgeOrder order, Instant now) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (settings_.outputs[i].name != name) continue;
    Output& output = outputs_[i];
    const std::string against = reason_against(i, order.drive, now);
    note(LogLevel::warning, now,
         fmt::format("{} 命令输出 {} output {} is ordered {} by {} (order {}){}{}", order.by, name, name,
                     order.drive == Drive::keep ? "back to automatic" : name_of(order.drive), order.by,
                     order.number, against.empty() ? "" : ", which is refused: ", against));
    if (!against.empty()) {
      output.refused = order.number;  // what was ordered before goes on to hold
      return fail(Errc::conflict, Retry::later, "{}", against);
    }
    const bool has_been_ordered = output.order.holds() || output.put_back != Drive::keep;
    if (order.drive != Drive::keep && !has_been_ordered && automatic_rest_of(i) == Drive::keep && output.seen)
      set_put_back(output, *output.seen == settings_.outputs[i].on ? Drive::on : Drive::off);
    output.order = {std::move(order), OutputProgress::under_way, false};
    // As it is read afterwards, not as it was believed to be.
    output.is_confirmed = false;
    output.failures_in_a_row = 0;
    output.try_at = now.steady;
    settle(now);
    return {};
  }
  return fail(Errc::not_found, Retry::never, "没有输出 {} there is no output {}", name, name);
}

/// One that was not done in its time, or is over.
void Judge::end_order(std::size_t index, Instant now) {
  Order& order = outputs_[index].order;
  const std::string& name = settings_.outputs[index].name;
  if (!order.is_open()) return;
  if (!order.was_done && now.steady >= order.fails_at()) {
    order.progress = OutputProgress::failed;
    note(LogLevel::error, now,
         fmt::format(
             "输出 {}: {} 的命令未按时完成，已放弃 order {} by {} for output {} was not done in its time "
             "and is given up",
             name, order.by, order.number, order.by, name));
  } else if (order.holds() && now.steady >= order.until) {
    order.progress = OutputProgress::ended;
    note(LogLevel::info, now,
         fmt::format("输出 {}: {} 的命令到期 order {} by {} for output {} has run out", name, order.by,
                     order.number, order.by, name));
  }
}

/// How far it is, once what is wanted has been settled.
void Judge::follow_order(std::size_t index, Instant now) {
  const Output& output = outputs_[index];
  Order& order = outputs_[index].order;
  if (!order.is_open()) return;
  const bool is_automatic = order.drive == Drive::keep;
  if (!is_automatic && output.wanted != order.drive) {
    order.progress = OutputProgress::overruled;
  } else if (output.is_confirmed || (is_automatic && output.wanted == Drive::keep)) {
    order.progress = OutputProgress::done;
    if (std::exchange(order.was_done, true)) return;
    note(LogLevel::info, now,
         fmt::format(
             "输出 {} 已按 {} 的命令动作，回读一致 output {} is {} as ordered by {} (order {}), and read "
             "back",
             settings_.outputs[index].name, order.by, settings_.outputs[index].name,
             is_automatic ? "automatic" : name_of(order.drive), order.by, order.number));
  } else {
    order.progress = OutputProgress::under_way;
  }
}

void Judge::set_put_back(Output& output, Drive drive) {
  if (output.put_back == drive) return;
  output.put_back = drive;
  has_kept_changed_ = true;
}

void Judge::let_go(const JudgeSettings& wanted, Instant now) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Output& output = outputs_[i];
    const OutputSettings& ours = settings_.outputs[i];
    const bool stays =
        std::any_of(wanted.outputs.begin(), wanted.outputs.end(), [&](const OutputSettings& one) {
          return one.name == ours.name && one.device_id == ours.device_id && one.point == ours.point &&
                 one.takes_orders;
        });
    if (stays || (!output.order.holds() && output.put_back == Drive::keep)) continue;
    output.is_let_go = true;
    if (!output.order.holds()) continue;
    output.order.progress = OutputProgress::ended;
    note(LogLevel::warning, now,
         fmt::format("输出 {} 的配置已变，命令结束 order {} for output {} ends: other settings come",
                     ours.name, output.order.number, ours.name));
  }
  settle(now);
}

std::vector<std::string> Judge::still_to_put_back() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (outputs_[i].is_let_go && outputs_[i].wanted != Drive::keep && !outputs_[i].is_confirmed)
      names.push_back(settings_.outputs[i].name);
  return names;
}

}  // namespace watchroom::agent
