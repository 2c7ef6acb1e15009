// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/self/figures.hpp"

namespace watchroom::agent {

/// One value of a metric. What it refers to must outlive it: the figures, mostly.
struct MetricValue {
  std::optional<double> value;               ///< absent: it is there, and not known
  std::array<std::string_view, 2> labels{};  ///< in the order of the description's
  std::string_view instance{};               ///< of the point; "" where its kind has no brackets
};
using MetricValues = std::vector<MetricValue>;

enum class MetricType { gauge, counter };

struct MetricState {
  std::int64_t code;
  std::string_view zh, en;
};

/// What of a metric the self device tells.
struct MetricPoint {
  std::string_view kind{};  ///< of the closed list; empty: the metric is no point
  double scale = 1.0;       ///< the point's units in one of the metric's
  double deadband = 0.0;    ///< in the point's unit; of a text, the first label is what it says
  std::span<const MetricState> states{};
};

/// The one declaration of a metric: the Prometheus text, the self device and the table of metrics.md come
/// from it.
struct MetricDescription {
  std::string_view name;  ///< without prefix, unit and _total
  MetricType type = MetricType::gauge;
  std::string_view unit{};  ///< a base unit of Prometheus, or empty
  std::string_view zh, en;
  std::array<std::string_view, 2> labels{};
  /// One of the two.
  std::optional<double> (*value)(const SelfFigures& figures) = nullptr;
  void (*values)(const SelfFigures& figures, MetricValues& told) = nullptr;
  MetricPoint point{};

  /// "watchroom_agent_process_cpu_seconds_total"
  std::string full_name() const;
  void read(const SelfFigures& figures, MetricValues& told) const;
};

std::span<const MetricDescription> metric_descriptions();

/// The text that Prometheus reads (exposition format 0.0.4).
void write_prometheus(const SelfFigures& figures, std::string& text);
/// The table of all metrics, Markdown: agent/self/metrics.md.
std::string metrics_reference();

}  // namespace watchroom::agent
