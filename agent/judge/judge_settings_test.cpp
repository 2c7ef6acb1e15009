// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/judge_settings.hpp"

#include <gmock/gmock.h>

#include "agent/judge/tested_judge.hpp"

namespace watchroom::agent {
namespace {

using ::testing::HasSubstr;

std::string output(const std::string& name, const std::string& device, const std::string& point,
                   const std::string& more = "") {
  return fmt::format(
      "[[output]]\nname = \"{}\"\ndevice = \"{}\"\npoint = \"{}\"\nat_start = \"off\"\n"
      "on_agent_death = \"off\"\non_link_loss = \"keep\"\n{}",
      name, device, point, more);
}

std::string problems_of(const std::string& tables) {
  Problems problems;
  TestedJudge::parse(tables, problems);
  return problems.str();
}

const std::string siren = output("siren", "io", "relay[1].state");

TEST(JudgeSettings, OnMayBeWhateverStateProtects) {
  const JudgeSettings settings =
      TestedJudge::read(output("valve", "io", "relay[1].state", "on_is = \"off\"\noff_is = \"吸合\"\n"));
  EXPECT_EQ(settings.outputs.at(0).code_of(Drive::on), 0);
  EXPECT_EQ(settings.outputs.at(0).code_of(Drive::off), 1);
}

TEST(JudgeSettings, EveryStateMustBeDeclared) {
  EXPECT_THAT(problems_of("[[output]]\nname = \"siren\"\ndevice = \"io\"\npoint = \"relay[1].state\"\n"),
              HasSubstr("output[0].at_start: is missing, expected one of \"on\" \"off\" \"keep\""));
}

TEST(JudgeSettings, AnOutputIsAWritablePointOfADeviceOfItsOwn) {
  EXPECT_THAT(
      problems_of(output("siren", "nobody", "relay[1].state")),
      HasSubstr("agent.toml:3: output[0].device: \"nobody\" is not valid, expected the id of a [[device]]"));
  EXPECT_THAT(problems_of(output("siren", "th", "leak.state")),
              HasSubstr("expected a switch that the profile th lets be written: it has none"));
  EXPECT_THAT(problems_of(output("siren", "io", "relay[9].state")),
              HasSubstr("relay[1].state relay[2].state"));
  EXPECT_THAT(problems_of(siren + output("bell", "io", "relay[1].state")),
              HasSubstr("expected a point of its own: it is the output siren already"));
  EXPECT_THAT(problems_of(output("s", "io", "relay[1].state", "on_is = \"loud\"\n")),
              HasSubstr("\"loud\" is not valid, expected a state of the point: \"off\", \"on\""));
  EXPECT_THAT(problems_of(output("s", "io", "relay[1].state", "colour = \"red\"\n")), HasSubstr("colour"));
}

TEST(JudgeSettings, AReactionWatchesPointsThatThereAreAndNamesOutputs) {
  const std::string leak =
      siren + "[[reaction]]\nname = \"leak\"\nkind = \"state\"\nraise_when = [\"wet\"]\n";
  EXPECT_EQ(problems_of(leak + "point = \"leak.state\"\noutputs = [\"siren\"]\n"), "");
  EXPECT_THAT(
      problems_of(leak + "point = \"smoke.state\"\noutputs = [\"siren\"]\n"),
      HasSubstr("\"smoke.state\" is not valid, expected a point that the profile of such a device has"));
  EXPECT_THAT(problems_of(leak + "point = \"leek.state\"\noutputs = [\"siren\"]\n"),
              HasSubstr("a known point"));
  EXPECT_THAT(problems_of(leak + "point = \"leak.state\"\ndevice = \"x*\"\noutputs = [\"siren\"]\n"),
              HasSubstr("expected the id of a [[device]]"));
  EXPECT_THAT(problems_of(leak + "point = \"leak.state\"\noutputs = [\"bell\"]\n"),
              HasSubstr("\"bell\" is not known, expected the name of an [[output]]"));
  EXPECT_THAT(problems_of(leak + "point = \"leak.state\"\noutputs = [\"siren\"]\ndoes = \"pulse\"\n"),
              HasSubstr("reaction[0].pulse_s"));
}

TEST(JudgeSettings, ALimitSaysItsUnit) {
  EXPECT_THAT(problems_of(siren + "[[reaction]]\nname = \"hot\"\nkind = \"high_limit\"\nraise_above = 40\n"
                                  "point = \"ambient.temperature\"\noutputs = [\"siren\"]\n"),
              HasSubstr("expected \"celsius\", the unit of ambient[].temperature"));
}

TEST(JudgeSettings, WhatIsCalledAfterTheReleaseOfAgentIsNoOutput) {
  for (const char* name :
       {"extinguisher", "gas-release", "FM-200", "ig_541", "CO2", "discharge", "agent_release"})
    EXPECT_THAT(problems_of(output(name, "io", "relay[1].state")),
                HasSubstr(fmt::format("agent.toml:2: output[0].name: \"{}\" tells of ", name)))
        << name;
  for (const char* name : {"leak-valve", "fire-siren", "gas_boiler", "firewall"})
    EXPECT_EQ(problems_of(output(name, "io", "relay[1].state")), "") << name;
}

/// Whatever a profile says, what releases agent is no output: only the closed list's switches may be set.
TEST(JudgeSettings, NoKindOfPointThatReleasesAgentMayBeSet) {
  for (const PointKind& kind : point_kinds())
    EXPECT_FALSE(kind.is_fire_protection() && kind.may_be_set) << kind.name;
}

}  // namespace
}  // namespace watchroom::agent
