// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <gtest/gtest.h>

#include "agent/judge/judge.hpp"
#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {

/// For tests: the judge of a room with a leak detector (th: ambient.temperature, leak.state) and a module of
/// two relays (io: relay[1].state, relay[2].state), told what happens as a timeline.
class TestedJudge {
 public:
  /// `tables`: of agent.toml.
  explicit TestedJudge(const std::string& tables)
      : judge_{read(tables), devices(), at(std::chrono::seconds{0})} {}

  static constexpr std::string_view relays = R"(
[[output]]
name = "siren"
device = "io"
point = "relay[1].state"
at_start = "off"
on_agent_death = "keep"
on_link_loss = "keep"
[[output]]
name = "valve"
device = "io"
point = "relay[2].state"
at_start = "keep"
on_agent_death = "keep"
on_link_loss = "keep"
)";

  static DeviceDescription device(const std::string& id, std::vector<PointDescription> points) {
    DeviceDescription device;
    device.id = id;
    device.points = std::move(points);
    return device;
  }
  static DeviceList devices() {
    const auto point = [](const char* name, PointTraits traits) {
      return PointDescription{*PointName::parse(name),
                              std::make_shared<const PointTraits>(std::move(traits))};
    };
    const PointTraits degrees{.unit = Unit::celsius};
    const PointTraits wetness{.unit = Unit::state, .states = {{0, {"正常", "dry"}}, {1, {"有水", "wet"}}}};
    const PointTraits relay{.unit = Unit::state, .states = {{0, {"断开", "off"}}, {1, {"吸合", "on"}}}};
    return listed({device("th", {point("ambient.temperature", degrees), point("leak.state", wetness)}),
                   device("io", {point("relay[1].state", relay), point("relay[2].state", relay)})});
  }
  /// Read as from agent.toml, with profiles that have the points above.
  static JudgeSettings read(const std::string& tables) {
    Problems problems;
    const auto settings = parse(tables, problems);
    EXPECT_TRUE(problems.empty()) << problems.str();
    return settings;
  }
  static JudgeSettings parse(const std::string& tables, Problems& problems) {
    std::vector<ConfiguredDevice> configured;
    for (const auto& described : devices()) {
      auto profile = std::make_shared<Profile>();
      profile->name = described->id;
      for (const PointDescription& point : described->points) {
        ProfilePoint own;
        own.name = own.key = point.name.str();
        own.is_writable = described->id == "io";
        own.traits = point.traits;
        profile->points.push_back(std::move(own));
      }
      ConfiguredDevice device;
      device.description = *described;
      device.profile = std::move(profile);
      configured.push_back(std::move(device));
    }
    const auto table = SettingsTable::parse(tables, "agent.toml", problems);
    JudgeSettings settings = JudgeSettings::read(*table, configured);
    table->finish();
    return settings;
  }

  static Instant at(std::chrono::milliseconds time) {
    return {Steady{std::chrono::hours{1} + time}, Timestamp{std::chrono::hours{500'000} + time}};
  }

  void reads(double temperature, int leak, std::chrono::milliseconds time) {
    poll(0, {value(temperature), value(static_cast<std::int64_t>(leak))}, time);
  }
  void loses_sensors(std::chrono::milliseconds time) { poll(0, {Reading{}, Reading{}}, time); }
  void sees_relays(int first, int second, std::chrono::milliseconds time) {
    poll(1, {value(static_cast<std::int64_t>(first)), value(static_cast<std::int64_t>(second))}, time);
  }
  void loses_module(std::chrono::milliseconds time) { poll(1, {Reading{}, Reading{}}, time); }
  void waits(std::chrono::milliseconds time) { judge_.tick(at(time)); }

  /// What is to be written by then, as "siren on, valve off"; each is obeyed at once unless `obeys` is false.
  std::string writes(std::chrono::milliseconds time, bool obeys = true) {
    judge_.tick(at(time));
    std::string all;
    for (const OutputWrite& write : judge_.take_writes(at(time))) {
      const char* name = write.point == "relay[1].state" ? "siren" : "valve";
      all += fmt::format("{}{} {}", all.empty() ? "" : ", ", name, write.code == 1 ? "on" : "off");
      if (!obeys) {
        judge_.written(write.ticket, fail(Errc::no_answer, Retry::later, "no answer"), at(time));
        continue;
      }
      judge_.written(write.ticket, WriteOutcome{"", value(write.code), true}, at(time));
    }
    return all;
  }
  /// By li, to be done in 10 s.
  Result<void> orders(const std::string& output, Drive drive, std::chrono::milliseconds until,
                      std::chrono::milliseconds time) {
    return judge_.order(
        output, {++orders_, drive, "li", at(time + std::chrono::seconds{10}).steady, at(until).steady},
        at(time));
  }
  OutputProgress progress(std::size_t output = 0) const {
    return judge_.figures().outputs.at(output).progress;
  }
  OutputState state(std::size_t output = 0) const { return judge_.figures().outputs.at(output).state; }
  std::string told() {
    std::string all;
    for (const JudgeNote& note : judge_.take_notes()) all += note.text + "\n";
    return all;
  }
  Judge& judge() { return judge_; }

  template <typename Number>
  static Reading value(Number number) {
    return {Value{number}, Quality::good, {}};
  }

 private:
  void poll(std::size_t device, std::vector<Reading> readings, std::chrono::milliseconds time) {
    PollResult polled;
    polled.device = device;
    polled.communication = Communication::ok;
    polled.readings = std::move(readings);
    judge_.observe(polled, at(time));
  }

  Judge judge_;
  std::uint64_t orders_ = 0;
};

/// Tables of agent.toml: siren and valve, and a reaction that sounds the siren at a leak.
inline const std::string relays{TestedJudge::relays};

inline std::string reaction(const std::string& more = "") {
  return "[[reaction]]\nname = \"leak\"\npoint = \"leak.state\"\nkind = \"state\"\nraise_when = [\"wet\"]\n"
         "outputs = [\"siren\"]\n" +
         more;
}

}  // namespace watchroom::agent
