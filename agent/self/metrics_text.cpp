// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <iterator>

#include <fmt/format.h>

#include "agent/self/metrics.hpp"

// Prometheus text exposition format 0.0.4: prometheus.io/docs/instrumenting/exposition_formats.
namespace watchroom::agent {
namespace {

std::string_view name_of(MetricType type) { return type == MetricType::counter ? "counter" : "gauge"; }

/// In a label's value backslash, quote and line feed are escaped.
void write_label_value(std::string_view value, std::string& text) {
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
}

void write_labels(const MetricDescription& metric, const MetricValue& value, std::string& text) {
  if (metric.labels[0].empty()) return;
  for (std::size_t i = 0; i < metric.labels.size() && !metric.labels[i].empty(); ++i) {
    text += i == 0 ? '{' : ',';
    text += metric.labels[i];
    text += "=\"";
    write_label_value(value.labels[i], text);
    text += '"';
  }
  text += '}';
}

}  // namespace

void write_prometheus(const SelfFigures& figures, std::string& text) {
  text.clear();
  MetricValues told;
  for (const MetricDescription& metric : metric_descriptions()) {
    told.clear();
    metric.read(figures, told);
    std::erase_if(told, [](const MetricValue& value) { return !value.value; });
    if (told.empty()) continue;
    const std::string name = metric.full_name();
    fmt::format_to(std::back_inserter(text), "# HELP {0} {1}。{2}.\n# TYPE {0} {3}\n", name, metric.zh,
                   metric.en, name_of(metric.type));
    for (const MetricValue& value : told) {
      text += name;
      write_labels(metric, value, text);
      fmt::format_to(std::back_inserter(text), " {}\n", *value.value);
    }
  }
}

std::string metrics_reference() {
  std::string table =
      "| metric | labels | type | 含义 | meaning | point of `self` | deadband |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const MetricDescription& metric : metric_descriptions()) {
    std::string labels;
    for (const std::string_view label : metric.labels) {
      if (label.empty()) continue;
      if (!labels.empty()) labels += ", ";
      labels += label;
    }
    const std::string point = metric.point.kind.empty() ? "" : fmt::format("`{}`", metric.point.kind);
    const std::string deadband = metric.point.deadband > 0 ? fmt::format("{}", metric.point.deadband) : "";
    fmt::format_to(std::back_inserter(table), "| `{}` | {} | {} | {} | {} | {} | {} |\n", metric.full_name(),
                   labels, name_of(metric.type), metric.zh, metric.en, point, deadband);
  }
  return table;
}

}  // namespace watchroom::agent
