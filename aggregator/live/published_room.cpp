// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/live/published_room.hpp"

#include <algorithm>

namespace watchroom::aggregator {

using namespace std::chrono_literals;

void PublishedRoom::publish(Publication publication) {
  const std::unique_lock lock{mutex_};
  const bool has_changes = !publication.points.empty() || !publication.agents.empty() ||
                           !publication.alarms.empty() ||
                           publication.status.broker_connected != status_.broker_connected ||
                           publication.status.store_is_failing != status_.store_is_failing;
  if (has_changes) ++version_;
  for (auto& [id, point] : publication.points) {
    point.version = version_;
    std::string key = point.id();
    point_ids_[key] = id;
    points_.insert_or_assign(std::move(key), std::move(point));
  }
  for (AgentView& agent : publication.agents) {
    agent.version = version_;
    std::string key = agent.site + "/" + agent.agent;
    agents_.insert_or_assign(std::move(key), std::move(agent));
  }
  for (AlarmView& alarm : publication.alarms) {
    alarm.version = version_;
    const std::int64_t id = alarm.id;
    const bool is_open = alarm.state != AlarmLifeCycle::normal;
    (is_open ? closed_alarms_ : open_alarms_).erase(id);
    (is_open ? open_alarms_ : closed_alarms_).insert_or_assign(id, std::move(alarm));
    if (closed_alarms_.size() > most_closed)
      closed_alarms_.erase(
          std::min_element(closed_alarms_.begin(), closed_alarms_.end(),
                           [](const auto& a, const auto& b) { return a.second.version < b.second.version; }));
  }
  StatusView& status = publication.status;
  status.points = static_cast<std::uint64_t>(std::count_if(
      points_.begin(), points_.end(), [](const auto& entry) { return entry.second.is_reported; }));
  status.points_good = static_cast<std::uint64_t>(std::count_if(
      points_.begin(), points_.end(), [](const auto& entry) { return entry.second.has_good_value(); }));
  status.agents = agents_.size();
  status.agents_online = 0;
  status.devices = 0;
  for (const auto& [key, agent] : agents_) {
    status.agents_online += agent.state == "online";
    // What an agent tells about itself is no device of the room.
    status.devices +=
        static_cast<std::uint64_t>(std::count_if(agent.devices.begin(), agent.devices.end(),
                                                 [](const DeviceView& device) { return !device.is_self; }));
  }
  status.alarms_open = open_alarms_.size();
  status.alarms_unacknowledged = static_cast<std::uint64_t>(
      std::count_if(open_alarms_.begin(), open_alarms_.end(),
                    [](const auto& entry) { return entry.second.state != AlarmLifeCycle::acknowledged; }));
  status_ = std::move(status);
}

std::uint64_t PublishedRoom::version() const {
  const std::shared_lock lock{mutex_};
  return version_;
}

std::vector<PointView> PublishedRoom::points(std::uint64_t since,
                                             const std::function<bool(const PointView&)>& wanted) const {
  const std::shared_lock lock{mutex_};
  std::vector<PointView> found;
  for (const auto& [id, point] : points_)
    if ((since == 0 || point.version > since) && wanted(point)) found.push_back(point);
  return found;
}

std::vector<AgentView> PublishedRoom::agents(std::uint64_t since) const {
  const std::shared_lock lock{mutex_};
  std::vector<AgentView> found;
  for (const auto& [id, agent] : agents_)
    if (since == 0 || agent.version > since) found.push_back(agent);
  return found;
}

std::vector<AlarmView> PublishedRoom::alarms(std::uint64_t since) const {
  const std::shared_lock lock{mutex_};
  std::vector<AlarmView> found;
  for (const auto& [id, alarm] : open_alarms_)
    if (since == 0 || alarm.version > since) found.push_back(alarm);
  if (since > 0)
    for (const auto& [id, alarm] : closed_alarms_)
      if (alarm.version > since) found.push_back(alarm);
  return found;
}

StatusView PublishedRoom::status() const {
  const std::shared_lock lock{mutex_};
  return status_;
}

Result<std::vector<AlarmView>> PublishedRoom::alarm_history(
    std::size_t limit, const std::function<bool(const AlarmView&)>& wanted) const {
  const std::lock_guard lock{reader_mutex_};
  return reader_.alarm_history(limit, wanted);
}

Result<std::vector<SampleView>> PublishedRoom::samples(const std::string& point_id, Timestamp since,
                                                       std::size_t limit) const {
  PointId id = 0;
  {
    const std::shared_lock lock{mutex_};
    const auto found = point_ids_.find(point_id);
    if (found == point_ids_.end())
      return fail(Errc::not_found, Retry::never, "there is no point \"{}\"", point_id);
    id = found->second;
  }
  const std::lock_guard lock{reader_mutex_};
  return reader_.samples(id, since, limit);
}

Result<AlarmView> PublishedRoom::acknowledge(std::int64_t alarm, const std::string& by,
                                             const std::string& comment) {
  auto answer = acknowledge_(alarm, by, comment);
  if (answer.wait_for(10s) != std::future_status::ready)
    return fail(Errc::no_answer, Retry::later, "the alarm engine did not answer in 10 s");
  return answer.get();
}

Result<DeviceView> PublishedRoom::request_class(const DevicePlace& device, const std::string& wanted,
                                                const std::string& by) {
  auto answer = request_class_(device, wanted, by);
  if (answer.wait_for(10s) != std::future_status::ready)
    return fail(Errc::no_answer, Retry::later, "the core did not answer in 10 s");
  return answer.get();
}

}  // namespace watchroom::aggregator
