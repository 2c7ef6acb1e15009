// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "aggregator/live/views.hpp"
#include "proto/base/database.hpp"
#include "proto/link/payload.hpp"

/// How our types look as columns: the one place that writer and reader share.
namespace watchroom::aggregator {

inline constexpr std::string_view alarm_columns =
    "id, rule, kind, severity, state, is_active, occurrence, title_zh, title_en, text_zh, text_en, site, "
    "agent, device, "
    "device_name, point, point_label_zh, point_label_en, value, unit, limit_value, raised_ms, cleared_ms, "
    "acknowledged_ms, acknowledged_by, comment";
inline constexpr std::string_view alarm_marks =
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

/// An alarm's mail is as bad as its worst one.
inline constexpr std::string_view alarm_mail_state =
    "coalesce((SELECT CASE WHEN sum(state = 'failed') > 0 THEN 'failed' WHEN sum(state = 'waiting') > 0 THEN "
    "'waiting' "
    "ELSE 'sent' END FROM mail WHERE alarm_id = alarm.id), 'none')";

void bind_alarm(Statement& statement, const AlarmView& alarm);
/// Rows of `alarm_columns` followed by the mail state: the first `most` of those that are wanted.
Result<std::vector<AlarmView>> read_alarms(Statement& statement,
                                           const std::function<bool(const AlarmView&)>& wanted = {},
                                           std::size_t most = std::numeric_limits<std::size_t>::max());

void bind_value(Statement& statement, int at, const std::optional<Value>& value);
std::optional<Value> read_value(const Statement& statement, int column);

/// Column `quality` of `sample`: a good reading of a clock that is not trusted is "clock_unsure".
std::string_view quality_text(const Reading& reading);
Reading reading_from(std::optional<Value> value, std::string_view quality, Timestamp taken_at);

/// For INSERT … RETURNING id.
Result<std::int64_t> returned_id(Statement& statement);
std::string_view bytes_of(const JournalId& id);

}  // namespace watchroom::aggregator
