// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/seen_part.hpp"

#include <algorithm>

namespace watchroom::aggregator {

bool covers(const Reach& reach, const PointView& point) { return reach.covers(point.site, point.agent); }

bool covers(const Reach& reach, const AlarmView& alarm) {
  return alarm.site.empty() || reach.covers(alarm.site, alarm.agent);
}

bool covers_point(const Reach& reach, std::string_view id) {
  const auto slash = id.find('/');
  if (slash == std::string_view::npos) return reach.is_everything();
  const auto next = id.find('/', slash + 1);
  return reach.covers(id.substr(0, slash), id.substr(slash + 1, next - slash - 1));
}

std::vector<PointView> points_of(const Room& room, const Reach& reach, std::uint64_t since) {
  return room.points(since, [&](const PointView& point) { return covers(reach, point); });
}

std::vector<AlarmView> alarms_of(const Room& room, const Reach& reach, std::uint64_t since) {
  auto alarms = room.alarms(since);
  std::erase_if(alarms, [&](const AlarmView& alarm) { return !covers(reach, alarm); });
  return alarms;
}

std::vector<AgentView> agents_of(const Room& room, const Reach& reach, std::uint64_t since) {
  auto agents = room.agents(since);
  std::erase_if(agents, [&](const AgentView& agent) { return !reach.covers(agent.site, agent.agent); });
  return agents;
}

StatusView status_of(const Room& room, const Reach& reach) {
  StatusView status = room.status();
  if (reach.is_everything()) return status;
  status.points = status.points_good = 0;
  // Counted under the room's lock, so that nothing is copied.
  (void)room.points(0, [&](const PointView& point) {
    if (!covers(reach, point)) return false;
    status.points += point.is_reported;
    status.points_good += point.has_good_value();
    return false;
  });
  status.agents = status.agents_online = status.devices = 0;
  for (const AgentView& agent : agents_of(room, reach, 0)) {
    ++status.agents;
    status.agents_online += agent.state == "online";
    status.devices +=
        static_cast<std::uint64_t>(std::count_if(agent.devices.begin(), agent.devices.end(),
                                                 [](const DeviceView& device) { return !device.is_self; }));
  }
  status.alarms_open = status.alarms_unacknowledged = 0;
  for (const AlarmView& alarm : alarms_of(room, reach, 0)) {
    ++status.alarms_open;
    status.alarms_unacknowledged += alarm.state != AlarmLifeCycle::acknowledged;
  }
  return status;
}

}  // namespace watchroom::aggregator
