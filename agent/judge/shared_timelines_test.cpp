// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What the centre does with the same rules: aggregator/alarms/shared_timelines_test.cpp.
#include "agent/judge/tested_judge.hpp"
#include "proto/rules/timelines.hpp"

namespace watchroom::agent {
namespace {

TEST(SharedTimelines, TheAgentJudgesAsTheTableSays) {
  for (const Timeline& timeline : shared_timelines()) {
    SCOPED_TRACE(timeline.story);
    const std::string reaction =
        fmt::format("[[reaction]]\nname = \"r\"\npoint = \"{}\"\noutputs = [\"siren\"]\n{}", timeline.point,
                    timeline.keys);
    TestedJudge room{std::string{TestedJudge::relays} + reaction};
    for (const TimelineStep& step : timeline.steps) {
      SCOPED_TRACE(step.at.count());
      room.waits(step.at);
      const int code = timeline.point == "leak.state" ? static_cast<int>(step.value) : 0;
      if (step.what == TimelineStep::What::reads) room.reads(step.value, code, step.at);
      if (step.what == TimelineStep::What::loses) room.loses_sensors(step.at);
      const ReactionState state = room.judge().figures().reactions.at(0).state;
      EXPECT_EQ(state == ReactionState::raised, step.is_raised);
    }
  }
}

}  // namespace
}  // namespace watchroom::agent
