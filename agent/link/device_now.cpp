// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/device_now.hpp"

#include <algorithm>
#include <unordered_map>

#include "agent/link/births.hpp"

namespace watchroom::agent {
namespace {

namespace names = metric_names;

const std::string& communication_states() {
  static const std::string json = to_json({{0, {"正常", "ok"}},
                                           {1, {"无应答", "no answer"}},
                                           {2, {"被拒绝", "refused"}},
                                           {3, {"未授权", "not authorized"}},
                                           {4, {"应答损坏", "corrupt answer"}},
                                           {5, {"未连接", "not connected"}},
                                           {6, {"未知", "not asked yet"}}});
  return json;
}

Metric described(const DeviceDescription& device, std::size_t index) {
  const PointDescription& point = device.points[index];
  const std::string called = index < device.called.size() ? device.called[index] : std::string{};
  return {.name = point.name.str(),
          .quality = Quality::stale,
          .unit = std::string{name_of(point.unit())},
          .states = to_json(point.traits->states),
          .label = label_json(point.label(called)),
          .alarms = to_json(point.traits->alarms)};
}

Metric fact(std::string_view name, Timestamp at, Value value) {
  return {.name = std::string{name}, .at = at, .value = std::move(value)};
}

void add_facts(std::vector<Metric>& metrics, const DeviceDescription& device, Timestamp now) {
  const auto max_silence = std::chrono::duration_cast<std::chrono::seconds>(device.max_silence);
  metrics.push_back(fact(names::name, now, device.name));
  metrics.push_back(fact(names::maker, now, device.maker));
  metrics.push_back(fact(names::model, now, device.model));
  metrics.push_back(fact(names::profile, now, device.profile));
  metrics.push_back(fact(names::resource_class, now, std::string{name_of(device.resource_class)}));
  if (!device.has_fixed_class)
    metrics.push_back(fact(names::class_configured, now, std::string{name_of(device.configured_class)}));
  metrics.push_back(fact(names::poll_interval, now, std::int64_t{device.poll_interval.count()}));
  metrics.push_back(fact(names::max_silence, now, std::int64_t{max_silence.count()}));
}

}  // namespace

DeviceNow::DeviceNow(std::shared_ptr<const DeviceDescription> description)
    : description_{std::move(description)}, readings_(description_->points.size()) {}

void DeviceNow::take(const PollResult& polled) {
  const std::size_t count = std::min(readings_.size(), polled.readings.size());
  std::copy_n(polled.readings.begin(), count, readings_.begin());
  communication_ = polled.communication;
  communication_text_ = polled.communication_text;
  polled_at_ = polled.polled_at;
}

void DeviceNow::describe(std::shared_ptr<const DeviceDescription> description) {
  const DeviceNow before = std::move(*this);
  *this = description ? DeviceNow{std::move(description)} : DeviceNow{};
  communication_ = before.communication_;
  communication_text_ = before.communication_text_;
  polled_at_ = before.polled_at_;
  event_ = before.event_;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < readings_.size(); ++i) places.emplace(description_->points[i].name.str(), i);
  for (std::size_t i = 0; before.description_ && i < before.readings_.size(); ++i) {
    const PointDescription& point = before.description_->points[i];
    if (const auto place = places.find(point.name.str()); place != places.end())
      readings_[place->second] = before.readings_[i];
    else
      kept_.push_back(described(*before.description_, i));
  }
  for (const Metric& point : before.kept_)
    if (!places.contains(point.name)) kept_.push_back(point);
}

void DeviceNow::shift(std::chrono::milliseconds by) {
  for (Reading& reading : readings_)
    if (reading.taken_at != Timestamp{}) reading.taken_at += by;
  if (polled_at_) *polled_at_ += by;
  for (Metric& metric : event_)
    if (metric.at) *metric.at += by;
}

void DeviceNow::keep_announced(Metric as_announced) { kept_.push_back(std::move(as_announced)); }

std::optional<std::size_t> DeviceNow::index_of(std::string_view name) const {
  if (!description_) return std::nullopt;
  const auto& points = description_->points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t at = (likely_ + i) % points.size();
    if (points[at].name.str() != name) continue;
    likely_ = (at + 1) % points.size();  // a record names its points in this order
    return at;
  }
  return std::nullopt;
}

bool DeviceNow::announces(std::string_view name) const {
  if (name == names::communication_state || name == names::communication_text)
    if (description_) return true;
  if (name == names::event_text || name == names::event_count)
    if (description_ && description_->tells_events) return true;
  return index_of(name) ||
         std::any_of(kept_.begin(), kept_.end(), [&](const Metric& point) { return point.name == name; });
}

std::vector<Metric> DeviceNow::points() const {
  std::vector<Metric> metrics;
  if (description_) {
    metrics.reserve(readings_.size() + kept_.size() + 8);
    for (std::size_t i = 0; i < description_->points.size(); ++i)
      metrics.push_back(described(*description_, i));
    metrics.push_back({.name = std::string{names::communication_state},
                       .at = polled_at_,
                       .value = static_cast<std::int64_t>(communication_),
                       .unit = std::string{name_of(Unit::state)},
                       .states = communication_states()});
    metrics.push_back({.name = std::string{names::communication_text},
                       .at = polled_at_,
                       .value = communication_text_,
                       .unit = std::string{name_of(Unit::text)}});
    if (description_->tells_events) add_events(metrics);
  }
  metrics.insert(metrics.end(), kept_.begin(), kept_.end());
  return metrics;
}

void DeviceNow::add_events(std::vector<Metric>& metrics) const {
  metrics.push_back({.name = std::string{names::event_text},
                     .value = std::string{},
                     .unit = std::string{name_of(Unit::text)}});
  metrics.push_back({.name = std::string{names::event_count},
                     .value = std::int64_t{0},
                     .unit = std::string{name_of(Unit::count)}});
  for (const Metric& last : event_)
    for (Metric& metric : metrics)
      if (metric.name == last.name) {
        metric.value = last.value;
        metric.at = last.at;
      }
}

Payload DeviceNow::birth(Timestamp now) const {
  Payload birth;
  birth.at = now;
  birth.metrics = points();
  for (std::size_t i = 0; i < readings_.size(); ++i) {
    Metric& metric = birth.metrics[i];
    metric.value = readings_[i].value;
    metric.quality = readings_[i].quality;
    if (readings_[i].taken_at != Timestamp{}) metric.at = readings_[i].taken_at;
  }
  for (Metric& metric : birth.metrics)
    if (!metric.at) metric.at = now;
  if (description_) add_facts(birth.metrics, *description_, now);
  put_in_time_order(birth.metrics);
  return birth;
}

std::string DeviceNow::kept_birth() const {
  Payload birth;
  birth.metrics = points();
  for (Metric& metric : birth.metrics)
    metric = {.name = std::move(metric.name),
              .quality = Quality::stale,
              .unit = std::move(metric.unit),
              .states = std::move(metric.states),
              .label = std::move(metric.label),
              .alarms = std::move(metric.alarms)};
  return encode(birth, WithDatatypes::yes);
}

}  // namespace watchroom::agent
