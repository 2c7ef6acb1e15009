// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string>

#include "aggregator/audit/audit_log.hpp"
#include "aggregator/live/views.hpp"

namespace watchroom::aggregator {

/// What the web server counts about itself, since its start where it is a sum.
struct WebFigures {
  std::uint64_t connections = 0, streams = 0;  ///< now
  std::uint64_t requests = 0;
  std::uint64_t connections_turned_away = 0, requests_turned_away = 0, streams_dropped = 0;
};

/// Prometheus text format 0.0.4.
std::string to_prometheus(const StatusView& status, Steady now, const WebFigures& web,
                          const AuditFigures& audit);

}  // namespace watchroom::aggregator
