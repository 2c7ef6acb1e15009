// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What the agent's local judge does with the same rules: agent/judge/shared_timelines_test.cpp.
#include <gtest/gtest.h>

#include "aggregator/alarms/engine.hpp"
#include "proto/rules/timelines.hpp"

namespace watchroom::aggregator {
namespace {

Situation situation(const Timeline& timeline, const TimelineStep& step) {
  Situation now;
  const bool is_lost = step.what == TimelineStep::What::loses;
  now.quality = is_lost ? Quality::stale : Quality::good;
  if (!is_lost) now.value = step.value;
  if (!is_lost && timeline.point == "leak.state") now.state_en = timeline_state(step.value);
  return now;
}

TEST(SharedTimelines, TheCentreJudgesAsTheTableSays) {
  for (const Timeline& timeline : shared_timelines()) {
    SCOPED_TRACE(timeline.story);
    Problems problems;
    const auto table =
        SettingsTable::parse(fmt::format("[[rule]]\nid = \"r\"\npoint = \"{}\"\ntitle_zh = \"t\"\n{}",
                                         timeline.point, timeline.keys),
                             "rules.toml", problems);
    Engine engine{read_rules(*table)};
    ASSERT_TRUE(problems.empty()) << problems.str();
    const SubjectId point =
        engine.subject({Subject::point, "hq", "room1", "d1", std::string{timeline.point}, "", "", ""});
    for (const TimelineStep& step : timeline.steps) {
      SCOPED_TRACE(step.at.count());
      const Timestamp now{step.at};
      engine.tick(now);
      if (step.what != TimelineStep::What::waits) engine.observe(point, situation(timeline, step), now);
      const bool is_raised = std::any_of(engine.open().begin(), engine.open().end(),
                                         [](const auto& alarm) { return alarm.second.is_active; });
      EXPECT_EQ(is_raised, step.is_raised);
    }
  }
}

}  // namespace
}  // namespace watchroom::aggregator
