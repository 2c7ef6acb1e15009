// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/feed.hpp"

#include "aggregator/web/room_json.hpp"
#include "aggregator/web/seen_part.hpp"

namespace watchroom::aggregator {
namespace {

/// Figures such as readings per second move without a change of version; and who watches must learn within
/// seconds that the core is stuck.
constexpr std::chrono::seconds status_interval{2};

std::string event(std::string_view name, const Json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, to_text(data));
}

}  // namespace

std::string Feed::status(const Reach& reach) const {
  return event("status", to_json(status_of(room_, reach), clock_));
}

std::string Feed::events(const Reach& reach, std::uint64_t since, std::uint64_t version, Empty empty) const {
  const bool is_full = empty == Empty::send;
  const Timestamp now = clock_.now();
  Json points = Json::array(), alarms = Json::array(), agents = Json::array();
  for (const PointView& point : points_of(room_, reach, since)) points.push_back(to_json(point, now));
  for (const AlarmView& alarm : alarms_of(room_, reach, since))
    if (is_full || alarm.version > since) alarms.push_back(to_json(alarm));
  for (const AgentView& agent : agents_of(room_, reach, since)) agents.push_back(to_json(agent));

  std::string text = status(reach);
  if (is_full || !agents.empty()) text += event("agents", {{"agents", std::move(agents)}});
  if (is_full || !alarms.empty()) text += event("alarms", {{"alarms", std::move(alarms)}});
  if (is_full || !points.empty())
    text += event("points", {{"version", version}, {"points", std::move(points)}});
  return text;
}

std::map<Reach, Feed::Round> Feed::round(const std::map<Reach, Wanted>& wanted) {
  std::map<Reach, Round> rounds;
  // Read first: what changes while the events are made is told again in the next round, never lost.
  const std::uint64_t version = room_.version();
  const Steady now = clock_.steady();
  const bool is_status_due = now - status_at_ >= status_interval;
  bool was_told = true;
  for (const auto& [reach, its] : wanted) {
    Round& round = rounds[reach];
    if (its.changes && version != seen_)
      round.changes = events(reach, seen_, version, Empty::leave_out);
    else if (its.changes && is_status_due)
      round.changes = status(reach);
    else if (its.changes)
      was_told = false;
    if (its.full) round.full = events(reach, 0, version, Empty::send);
  }
  if (was_told) status_at_ = now;
  seen_ = version;
  return rounds;
}

}  // namespace watchroom::aggregator
