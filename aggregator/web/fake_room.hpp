// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/live/room.hpp"

namespace watchroom::aggregator {

/// For tests: a room in memory that a test changes by hand.
class FakeRoom final : public Room {
 public:
  FakeRoom() {
    put(point("leak1", "leak.state", std::int64_t{1}));
    put(point("th1", "ambient.temperature", 23.5));
    AlarmView alarm;
    alarm.id = 12;
    alarm.rule = "water-leak";
    alarm.severity = Severity::critical;
    alarm.state = AlarmLifeCycle::unacknowledged;
    alarm.title_zh = "北侧水浸 有水";
    alarm.title_en = "Water at the north side";
    alarm.site = "hq";
    alarm.agent = "room1";
    alarm.device = "leak1";
    alarm.raised_at = from_ms(1'800'000'000'000);
    alarm.is_active = true;
    put(alarm);
  }

  static PointView point(const std::string& device, const std::string& name, Value value) {
    PointView view;
    view.site = "hq";
    view.agent = "room1";
    view.device = device;
    view.device_name = device == "leak1" ? "北侧水浸" : device;
    view.name = name;
    view.label_zh = "点位";
    view.label_en = "Point";
    view.value = view.last_value = std::move(value);
    view.quality = "good";
    view.taken_at = from_ms(1'800'000'000'000);
    return view;
  }

  void put(PointView view) {
    const std::lock_guard lock{mutex_};
    view.version = ++version_;
    std::erase_if(points_, [&](const PointView& old) { return old.id() == view.id(); });
    points_.push_back(std::move(view));
  }
  void put(AlarmView view) {
    const std::lock_guard lock{mutex_};
    view.version = ++version_;
    std::erase_if(alarms_, [&](const AlarmView& old) { return old.id == view.id; });
    alarms_.push_back(std::move(view));
  }
  void put(AgentView view) {
    const std::lock_guard lock{mutex_};
    view.version = ++version_;
    agents_.push_back(std::move(view));
  }
  void fail_disk_with(Error error) {
    const std::lock_guard lock{mutex_};
    disk_error_ = std::move(error);
  }

  std::uint64_t version() const override {
    const std::lock_guard lock{mutex_};
    return version_;
  }
  std::vector<PointView> points(std::uint64_t since,
                                const std::function<bool(const PointView&)>& wanted) const override {
    const std::lock_guard lock{mutex_};
    std::vector<PointView> found;
    for (const PointView& view : points_)
      if (view.version > since && wanted(view)) found.push_back(view);
    return found;
  }
  std::vector<AgentView> agents(std::uint64_t since) const override {
    const std::lock_guard lock{mutex_};
    std::vector<AgentView> found;
    for (const AgentView& view : agents_)
      if (view.version > since) found.push_back(view);
    return found;
  }
  std::vector<AlarmView> alarms(std::uint64_t since) const override {
    const std::lock_guard lock{mutex_};
    std::vector<AlarmView> found;
    for (const AlarmView& view : alarms_)
      if (view.state != AlarmLifeCycle::normal || (since > 0 && view.version > since)) found.push_back(view);
    return found;
  }
  StatusView status() const override {
    const std::lock_guard lock{mutex_};
    StatusView view;
    view.host_id = "watchroom";
    view.broker_connected = true;
    view.points = points_.size();
    view.alarms_open = alarms_.size();
    return view;
  }
  Result<std::vector<AlarmView>> alarm_history(
      std::size_t limit, const std::function<bool(const AlarmView&)>& wanted) const override {
    const std::lock_guard lock{mutex_};
    if (disk_error_) return *disk_error_;
    std::vector<AlarmView> found{alarms_.rbegin(), alarms_.rend()};
    std::erase_if(found, [&](const AlarmView& alarm) { return !wanted(alarm); });
    if (found.size() > limit) found.resize(limit);
    return found;
  }
  Result<std::vector<SampleView>> samples(const std::string& point_id, Timestamp,
                                          std::size_t) const override {
    const std::lock_guard lock{mutex_};
    if (disk_error_) return *disk_error_;
    for (const PointView& view : points_)
      if (view.id() == point_id)
        return std::vector<SampleView>{{view.taken_at, view.last_value, Quality::good, 1}};
    return fail(Errc::not_found, Retry::never, "there is no point {}", point_id);
  }
  Result<AlarmView> acknowledge(std::int64_t alarm, const std::string& by,
                                const std::string& comment) override {
    const std::lock_guard lock{mutex_};
    for (AlarmView& view : alarms_) {
      if (view.id != alarm) continue;
      if (view.state == AlarmLifeCycle::acknowledged)
        return fail(Errc::conflict, Retry::never, "alarm {} is acknowledged already", alarm);
      view.state = AlarmLifeCycle::acknowledged;
      view.acknowledged_by = by;
      view.comment = comment;
      view.version = ++version_;
      return view;
    }
    return fail(Errc::not_found, Retry::never, "there is no alarm {}", alarm);
  }

  Result<DeviceView> request_class(const DevicePlace& device, const std::string& wanted,
                                   const std::string& by) override {
    const std::lock_guard lock{mutex_};
    for (AgentView& agent : agents_) {
      for (DeviceView& view : agent.devices) {
        if (agent.site != device.site || agent.agent != device.agent || view.id != device.device) continue;
        if (agent.state != "online")
          return fail(Errc::conflict, Retry::later, "agent {} is offline", agent.agent);
        view.class_wanted = wanted;
        view.class_request = ClassRequest::pending;
        class_asked_by = by;
        agent.version = ++version_;
        return view;
      }
    }
    return fail(Errc::not_found, Retry::never, "there is no device {}", device.device);
  }

  std::string class_asked_by;

 private:
  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::vector<PointView> points_;
  std::vector<AlarmView> alarms_;
  std::vector<AgentView> agents_;
  std::optional<Error> disk_error_;
};

}  // namespace watchroom::aggregator
