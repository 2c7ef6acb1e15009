// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "aggregator/live/agent_identities.hpp"
#include "aggregator/live/views.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

using Json = nlohmann::ordered_json;

/// Compact, always valid UTF-8: what is not (a device may send anything) becomes U+FFFD. `<`, `>` and `&` are
/// written as \u003c …, and what a terminal or a reading eye would obey (C1, bidirectional marks) is escaped
/// too, so that JSON that lands in a page by somebody's mistake is still not HTML.
std::string to_text(const Json& json);

/// The objects of the REST contract.
Json to_json(const PointView& point, Timestamp now);
Json to_json(const AlarmView& alarm);
Json to_json(const AgentView& agent);
Json to_json(const DeviceView& device);
double core_age_s(const StatusView& status, Steady now);
/// `core_age_s` tells how old the rest is: what a stuck core said last must not pass for live.
Json to_json(const StatusView& status, const Clock& clock);
Json to_json(const SampleView& sample);
Json to_json(const AgentIdentity& identity);
Json to_json(const Invitation& invitation);

}  // namespace watchroom::aggregator
