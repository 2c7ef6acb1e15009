// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/metrics.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/self/tested_figures.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string written(const SelfFigures& figures) {
  std::string text;
  write_prometheus(figures, text);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Holds each line against the grammar of the text format
/// (prometheus.io/docs/instrumenting/exposition_formats) and the order it asks for; returns the series with
/// their values.
std::map<std::string, double> checked(const std::string& text) {
  static const std::regex help{R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))"};
  static const std::regex type{R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge))"};
  static const std::regex sample{
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z_]+="(?:[^"\\]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\]|\\["\\n])*")*\})? (-?[0-9.]+(?:e[+-][0-9]+)?))re"};
  EXPECT_TRUE(text.ends_with('\n'));
  std::map<std::string, double> series;
  std::set<std::string> families;
  std::string helped, typed;
  for (const std::string& line : lines_of(text)) {
    std::smatch found;
    if (std::regex_match(line, found, help)) {
      helped = found[1];
      EXPECT_TRUE(families.insert(helped).second) << helped << " comes twice";
    } else if (std::regex_match(line, found, type)) {
      typed = found[1];
      EXPECT_EQ(typed, helped) << line;
      EXPECT_EQ(typed.ends_with("_total"), found[2] == "counter") << line;
    } else if (std::regex_match(line, found, sample)) {
      EXPECT_EQ(found[1], typed) << "a sample away from its family: " << line;
      EXPECT_TRUE(series.emplace(found[1].str() + found[2].str(), std::stod(found[3])).second) << line;
    } else {
      ADD_FAILURE() << "no line of the format: " << line;
    }
  }
  return series;
}

TEST(Metrics, MakeATextOfWhichEachLineFollowsTheFormat) {
  const auto series = checked(written(tested_figures()));
  EXPECT_GT(series.size(), 60u);
  EXPECT_DOUBLE_EQ(series.at("watchroom_agent_process_cpu_seconds_total"), 1.5);
  EXPECT_DOUBLE_EQ(series.at(R"(watchroom_agent_bus_polls_total{bus="/dev/ttyS1",result="no_answer"})"), 10);
  EXPECT_DOUBLE_EQ(series.at(R"(watchroom_agent_bus_devices{bus="snmp",state="not_asked"})"), 1);
  EXPECT_DOUBLE_EQ(series.at(R"(watchroom_agent_certificate_remaining_seconds{certificate="client"})"),
                   20.5 * 86'400);
  EXPECT_DOUBLE_EQ(series.at(R"(watchroom_agent_snmp_traps_total{result="not_authentic"})"), 3);
  EXPECT_DOUBLE_EQ(series.at("watchroom_agent_journal_oldest_age_seconds"), 5);
  EXPECT_DOUBLE_EQ(series.at("watchroom_agent_link_session_age_seconds"), 90);
  EXPECT_DOUBLE_EQ(series.at("watchroom_agent_clock_offset_seconds"), -0.0012);
}

TEST(Metrics, EscapeWhatALabelMayNotHold) {
  SelfFigures figures = tested_figures();
  figures.buses = {tested_bus("a\"b\\c\nd")};
  const auto series = checked(written(figures));
  EXPECT_TRUE(series.contains(R"(watchroom_agent_bus_load_ratio{bus="a\"b\\c\nd"})"));
}

TEST(Metrics, LeaveOutWhatIsNotKnown) {
  const std::string text = written({});
  checked(text);
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory")));
  EXPECT_THAT(text, Not(HasSubstr("bus_")));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, HasSubstr("watchroom_agent_link_connected 0\n"));
}

TEST(Metrics, KeepToTheUnitsOfTheClosedListOfPoints) {
  static const std::map<std::string_view, std::map<Unit, double>> scales{
      {"ratio", {{Unit::percent, 100}}},
      {"seconds", {{Unit::second, 1}, {Unit::millisecond, 1000}, {Unit::count, 1.0 / 86'400}}},
      {"bytes", {{Unit::byte, 1}}},
      {"celsius", {{Unit::celsius, 1}}},
      {"", {{Unit::state, 1}, {Unit::count, 1}, {Unit::none, 1}, {Unit::text, 1}}}};
  std::set<std::string_view> kinds;
  for (const MetricDescription& metric : metric_descriptions()) {
    if (metric.point.kind.empty()) continue;
    EXPECT_TRUE(kinds.insert(metric.point.kind).second) << metric.point.kind << " has two metrics";
    const auto all = point_kinds();
    const auto kind = std::find_if(all.begin(), all.end(),
                                   [&](const PointKind& one) { return one.name == metric.point.kind; });
    ASSERT_NE(kind, all.end()) << metric.point.kind << " is not in proto/model/points.cpp";
    ASSERT_TRUE(scales.at(metric.unit).contains(kind->unit)) << metric.point.kind;
    EXPECT_DOUBLE_EQ(scales.at(metric.unit).at(kind->unit), metric.point.scale) << metric.point.kind;
    EXPECT_EQ(kind->unit == Unit::state, !metric.point.states.empty()) << metric.point.kind;
    const bool is_number = kind->unit != Unit::state && kind->unit != Unit::text;
    EXPECT_EQ(is_number, metric.point.deadband != 0)
        << metric.point.kind << ": a number without deadband is told every 10 s";
  }
}

TEST(Metrics, SayWhatTheyAreInBothLanguages) {
  std::set<std::string> names;
  for (const MetricDescription& metric : metric_descriptions()) {
    EXPECT_TRUE(names.insert(metric.full_name()).second) << metric.full_name();
    EXPECT_FALSE(metric.zh.empty() || metric.en.empty()) << metric.full_name();
    EXPECT_NE(metric.value == nullptr, metric.values == nullptr) << metric.full_name();
  }
}

TEST(Metrics, AreListedInTheirReference) {
  const std::string file = WATCHROOM_SOURCE_DIR "/agent/self/metrics.md";
  std::ostringstream listed;
  listed << std::ifstream{file}.rdbuf();
  const std::string text = listed.str();
  const auto table = text.find("| metric |");
  ASSERT_NE(table, std::string::npos) << file;
  EXPECT_EQ(text.substr(table), metrics_reference())
      << "the table is not as the code; write it anew: watchroom-agent describe --metrics";
}

}  // namespace
}  // namespace watchroom::agent
