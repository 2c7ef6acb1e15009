// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aggregator/identity/reach.hpp"
#include "aggregator/live/room.hpp"

/// The part of the room that somebody may see.
namespace watchroom::aggregator {

bool covers(const Reach& reach, const PointView& point);
/// An alarm of the centre itself concerns every room and is seen by everybody.
bool covers(const Reach& reach, const AlarmView& alarm);
/// Of "site/agent/device/name".
bool covers_point(const Reach& reach, std::string_view id);

std::vector<PointView> points_of(const Room& room, const Reach& reach, std::uint64_t since);
std::vector<AlarmView> alarms_of(const Room& room, const Reach& reach, std::uint64_t since);
std::vector<AgentView> agents_of(const Room& room, const Reach& reach, std::uint64_t since);
/// Counts of agents, devices, points and alarms are of the part; broker, store, queue, mails and rates are
/// the centre's own and the same for everybody.
StatusView status_of(const Room& room, const Reach& reach);

}  // namespace watchroom::aggregator
