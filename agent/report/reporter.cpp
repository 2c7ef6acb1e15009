// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/report/reporter.hpp"

#include <algorithm>
#include <cmath>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

bool is_worth_a_report(const PointDescription& point, const Value& before, const Value& now) {
  if (before == now) return false;
  if (point.unit() == Unit::state || before.index() != now.index()) return true;
  const auto a = number_of(before);
  const auto b = number_of(now);
  if (!a || !b) return true;
  return std::abs(*b - *a) >= point.traits->deadband;
}

bool is_beyond(const PointAlarm& alarm, double limit, double value) {
  return alarm.raised == PointAlarm::Raised::above ? value > limit : value < limit;
}

/// Into an alarm that its profile has, or out of it. One value to and fro about a limit is told once: an
/// alarm ends at another limit than it begins at.
bool crosses_limit(const PointDescription& point, const Value& before, const Value& now) {
  const auto a = number_of(before);
  const auto b = number_of(now);
  if (!a || !b) return false;
  return std::any_of(point.traits->alarms.begin(), point.traits->alarms.end(), [&](const PointAlarm& alarm) {
    if (alarm.raised == PointAlarm::Raised::in_states) return false;
    return (!is_beyond(alarm, alarm.limit, *a) && is_beyond(alarm, alarm.limit, *b)) ||
           (is_beyond(alarm, alarm.clear_limit, *a) && !is_beyond(alarm, alarm.clear_limit, *b));
  });
}

/// A value that leaps is on its way to a limit that only the centre knows, or past it.
bool is_jump(const PointDescription& point, const Value& before, const Value& now) {
  constexpr double deadbands = 4;
  const auto a = number_of(before);
  const auto b = number_of(now);
  return a && b && point.traits->deadband > 0 && std::abs(*b - *a) >= deadbands * point.traits->deadband;
}

Metric metric_of(const PointDescription& point, const Reading& reading) {
  return {
      .name = point.name.str(), .at = reading.taken_at, .value = reading.value, .quality = reading.quality};
}

}  // namespace

bool is_lost(const PollResult& polled) {
  if (polled.communication == Communication::ok || polled.communication == Communication::unknown)
    return false;
  return std::none_of(polled.readings.begin(), polled.readings.end(),
                      [](const Reading& reading) { return reading.quality == Quality::good; });
}

Reporter::Verdict Reporter::judge_point(std::size_t index, const Reading& reading) const {
  const Reading& before = reported_[index];
  const PointDescription& point = device_->points[index];
  if (before.quality != reading.quality) return {true, true};
  if (before.value.has_value() != reading.value.has_value()) return {true, point.unit() == Unit::state};
  if (!reading.value) return {};
  if (crosses_limit(point, *before.value, *reading.value)) return {true, true};
  const bool is_worth_it = is_worth_a_report(point, *before.value, *reading.value);
  const bool is_urgent = point.unit() == Unit::state || is_jump(point, *before.value, *reading.value);
  return {is_worth_it, is_worth_it && is_urgent};
}

bool Reporter::is_whole_device_due(const PollResult& polled, Steady now) const {
  if (is_lost(polled)) return false;
  // The next poll would come too late. Polls are never exactly on time: without the tolerance an interval
  // that divides max_silence would report at every poll.
  const auto tolerance = std::min(device_->poll_interval / 10, std::chrono::milliseconds{1s});
  return now - whole_reported_at_ + device_->poll_interval > device_->max_silence + tolerance;
}

std::optional<Report> Reporter::judge(const PollResult& polled, Steady now) {
  const bool is_first = reported_.empty();
  const bool is_whole = is_first || is_whole_device_due(polled, now);
  if (is_first) reported_.resize(device_->points.size());
  Report report;
  report.is_urgent = is_first || device_->resource_class == ResourceClass::core;

  for (std::size_t i = 0; i < device_->points.size() && i < polled.readings.size(); ++i) {
    const Verdict verdict = judge_point(i, polled.readings[i]);
    report.is_urgent |= verdict.is_urgent;
    if (!is_whole && !verdict.is_worth_it) continue;
    report.metrics.push_back(metric_of(device_->points[i], polled.readings[i]));
    reported_[i] = polled.readings[i];
  }
  const bool communication_changed = polled.communication != reported_communication_;
  report.is_urgent |= communication_changed;
  if (is_whole || communication_changed)
    report.metrics.push_back({.name = std::string{metric_names::communication_state},
                              .at = polled.polled_at,
                              .value = static_cast<std::int64_t>(polled.communication)});
  if (is_whole || polled.communication_text != reported_text_)
    report.metrics.push_back({.name = std::string{metric_names::communication_text},
                              .at = polled.polled_at,
                              .value = polled.communication_text});
  if (report.metrics.empty()) return std::nullopt;

  reported_communication_ = polled.communication;
  reported_text_ = polled.communication_text;
  if (is_whole) whole_reported_at_ = now;
  // operational-behavior-data-publish-dbirth-order: values inside one payload are in time order.
  std::stable_sort(report.metrics.begin(), report.metrics.end(),
                   [](const Metric& a, const Metric& b) { return a.at < b.at; });
  return report;
}

}  // namespace watchroom::agent
