// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/self_device.hpp"

#include <cmath>
#include <cstdlib>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

std::string name_of_point(std::string_view kind, std::string_view instance) {
  std::string name{kind};
  if (const auto brackets = name.find("[]"); brackets != std::string::npos)
    name.insert(brackets + 1, instance);
  return name;
}

/// The closed list has every kind of metrics.cpp: a test sees to it.
const PointKind& kind_of(const MetricDescription& metric) {
  for (const PointKind& kind : point_kinds())
    if (kind.name == metric.point.kind) return kind;
  std::abort();
}

PointDescription describe(const MetricDescription& metric, const MetricValue& value) {
  PointName name = *PointName::parse(name_of_point(metric.point.kind, value.instance));
  const PointKind& kind = kind_of(metric);
  PointTraits traits;
  traits.unit = kind.unit;
  traits.deadband = metric.point.deadband;
  for (const MetricState& state : metric.point.states)
    traits.states[state.code] = {std::string{state.zh}, std::string{state.en}};
  if (kind.unit != Unit::text && value.labels[0] != value.instance)  // cut or changed to fit into a name
    traits.label = StateText{fmt::format("{} {}", kind.label_zh, value.labels[0]),
                             fmt::format("{} {}", kind.label_en, value.labels[0])};
  return {std::move(name), std::make_shared<const PointTraits>(std::move(traits))};
}

Value value_of(const MetricDescription& metric, const MetricValue& told) {
  const Unit unit = kind_of(metric).unit;
  if (unit == Unit::text) return std::string{told.labels[0]};
  const double scaled = *told.value * metric.point.scale;
  if (unit == Unit::state || unit == Unit::count) return static_cast<std::int64_t>(std::floor(scaled));
  if (unit == Unit::byte) return std::round(scaled);
  return std::round(scaled * 10) / 10;  // nobody reads more of a percentage
}

}  // namespace

DeviceDescription SelfDevice::description(bool tells_events) {
  DeviceDescription device;
  device.id = self_device_id;
  device.name = "采集代理 / agent";
  device.maker = "Watchroom";
  device.model = "agent";
  device.profile = "self";
  device.resource_class = device.configured_class = ResourceClass::key;
  device.has_fixed_class = true;
  device.tells_events = tells_events;
  device.poll_interval = self_poll_interval;
  device.max_silence = 60s;
  return device;
}

PollResult SelfDevice::polled(const SelfFigures& figures) {
  PollResult result;
  result.device = index_;
  result.communication = Communication::ok;
  result.polled_at = figures.at;
  std::vector<Point> points;
  MetricValues told;
  for (const MetricDescription& metric : metric_descriptions()) {
    if (metric.point.kind.empty()) continue;
    told.clear();
    metric.read(figures, told);
    for (const MetricValue& value : told) {
      points.emplace_back(&metric, value.instance);
      Reading reading{std::nullopt, Quality::stale, figures.at};
      if (value.value) reading = {value_of(metric, value), Quality::good, figures.at};
      result.readings.push_back(std::move(reading));
    }
  }
  if (points != points_) {
    points_ = std::move(points);
    result.description = std::make_shared<const DeviceDescription>(described(figures));
  }
  return result;
}

DeviceDescription SelfDevice::described(const SelfFigures& figures) const {
  std::vector<PointDescription> points;
  MetricValues told;
  for (const MetricDescription& metric : metric_descriptions()) {
    if (metric.point.kind.empty()) continue;
    told.clear();
    metric.read(figures, told);
    for (const MetricValue& value : told) points.push_back(describe(metric, value));
  }
  DeviceDescription device = description(tells_events_);
  device.points = std::move(points);
  return device;
}

}  // namespace watchroom::agent
