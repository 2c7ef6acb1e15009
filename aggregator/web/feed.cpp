// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/feed.hpp"

#include "aggregator/web/room_json.hpp"

namespace watchroom::aggregator {
namespace {

/// Figures such as readings per second move without a change of version; and who watches must learn within
/// seconds that the core is stuck.
constexpr std::chrono::seconds status_interval{2};

std::string event(std::string_view name, const Json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, to_text(data));
}

}  // namespace

std::string Feed::events(std::uint64_t since, std::uint64_t version, Empty empty) const {
  const bool is_full = empty == Empty::send;
  const Timestamp now = clock_.now();
  Json points = Json::array(), alarms = Json::array(), agents = Json::array();
  for (const PointView& point : room_.points(since, [](const PointView&) { return true; }))
    points.push_back(to_json(point, now));
  for (const AlarmView& alarm : room_.alarms(since))
    if (is_full || alarm.version > since) alarms.push_back(to_json(alarm));
  for (const AgentView& agent : room_.agents(since)) agents.push_back(to_json(agent));

  std::string text = event("status", to_json(room_.status(), clock_));
  if (is_full || !agents.empty()) text += event("agents", {{"agents", std::move(agents)}});
  if (is_full || !alarms.empty()) text += event("alarms", {{"alarms", std::move(alarms)}});
  if (is_full || !points.empty())
    text += event("points", {{"version", version}, {"points", std::move(points)}});
  return text;
}

Feed::Round Feed::round(Wanted wanted) {
  Round round;
  // Read first: what changes while the events are made is told again in the next round, never lost.
  const std::uint64_t version = room_.version();
  const Steady now = clock_.steady();
  if (wanted.changes && version != seen_) {
    round.changes = events(seen_, version, Empty::leave_out);
    status_at_ = now;
  } else if (wanted.changes && now - status_at_ >= status_interval) {
    round.changes = event("status", to_json(room_.status(), clock_));
    status_at_ = now;
  }
  if (!wanted.changes) status_at_ = now;
  if (wanted.full) round.full = events(0, version, Empty::send);
  seen_ = version;
  return round;
}

}  // namespace watchroom::aggregator
