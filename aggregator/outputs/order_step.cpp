// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/outputs/output_desk.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

// What the agent says may be on its way for so long: its record, the broker, our core.
constexpr auto grace = 5s;
// An agent that was away may tell what became of an order, when it is back.
constexpr auto may_be_told_late = 24h;

bool is_on_its_way(OrderProgress progress) {
  return progress == OrderProgress::sent || progress == OrderProgress::under_way;
}

bool is_held(OrderProgress progress) {
  return progress == OrderProgress::under_way || progress == OrderProgress::done ||
         progress == OrderProgress::overruled;
}

std::optional<OrderProgress> told_progress(OutputProgress progress) {
  switch (progress) {
    case OutputProgress::none: return std::nullopt;
    case OutputProgress::under_way: return OrderProgress::under_way;
    case OutputProgress::done: return OrderProgress::done;
    case OutputProgress::overruled: return OrderProgress::overruled;
    case OutputProgress::failed: return OrderProgress::failed;
    case OutputProgress::ended: return OrderProgress::ended;
  }
  return std::nullopt;
}

/// What the agent has said of this very order; a longer number may begin with this one.
std::string reason_of(const KeptOrder& order, const ToldOfOutput& told) {
  const std::string name = fmt::format("order {}", order.number);
  const auto at = told.event.find(name);
  if (at == std::string::npos) return "";
  const std::size_t end = at + name.size();
  const bool goes_on = end < told.event.size() && told.event[end] >= '0' && told.event[end] <= '9';
  return goes_on ? "" : told.event;
}

bool is_said_to_be_refused(const KeptOrder& order, const ToldOfOutput& told) {
  return told.event.find(fmt::format("order {} of the centre is refused", order.number)) != std::string::npos;
}

std::optional<OrderStep> next_of(const KeptOrder& order, const ToldOfOutput& told, Timestamp now) {
  if (told.is_live && told.order == order.number) {
    const auto progress = told_progress(told.progress);
    if (!progress) return std::nullopt;
    return OrderStep{*progress, *progress == OrderProgress::failed ? reason_of(order, told) : ""};
  }
  if (told.is_live && (told.refused == order.number || is_said_to_be_refused(order, told)))
    return OrderStep{OrderProgress::refused, reason_of(order, told)};
  if (told.is_live && told.order > order.number)
    return OrderStep{OrderProgress::ended,
                     fmt::format("由命令 {} 取代 order {} took its place", told.order, told.order)};
  if (told.is_live && is_held(order.progress))
    return OrderStep{
        OrderProgress::ended,
        "采集代理已重新启动或配置已变，不再执行此命令 the agent has started anew or has other settings, and "
        "holds no order"};
  if (is_on_its_way(order.progress) && now > order.at + order.wish.within + grace)
    return OrderStep{OrderProgress::no_answer, ""};
  if (is_held(order.progress) && now > order.at + order.wish.lasting + grace)
    return OrderStep{OrderProgress::ended,
                     "到期时没有采集代理的消息 its time is over, and the agent told nothing"};
  return std::nullopt;
}

}  // namespace

std::optional<OrderStep> step_of(const KeptOrder& order, const ToldOfOutput& told, Timestamp now) {
  auto next = next_of(order, told, now);
  if (next && next->progress == order.progress && (next->reason.empty() || next->reason == order.reason))
    return std::nullopt;
  return next;
}

bool is_over(const KeptOrder& order, Timestamp now) {
  switch (order.progress) {
    case OrderProgress::ended: return true;
    case OrderProgress::refused:
    case OrderProgress::failed: return !order.reason.empty() || now > order.at + order.wish.within + grace;
    case OrderProgress::done: return order.wish.to == OutputTarget::automatic;
    case OrderProgress::no_answer: return now > order.at + may_be_told_late;
    default: return false;
  }
}

}  // namespace watchroom::aggregator
