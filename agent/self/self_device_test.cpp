// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/self_device.hpp"

#include <gtest/gtest.h>

#include "agent/report/reporter.hpp"
#include "agent/self/tested_figures.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

/// What the centre would know of the self device.
class Announced {
 public:
  void take(const PollResult& polled) {
    if (polled.description) device = polled.description;
    ASSERT_TRUE(device) << "readings before there is a description";
    ASSERT_EQ(device->points.size(), polled.readings.size());
    readings.clear();
    for (std::size_t i = 0; i < polled.readings.size(); ++i)
      readings[device->points[i].name.str()] = polled.readings[i];
  }
  const PointDescription* point(const std::string& name) const {
    for (const PointDescription& one : device->points)
      if (one.name.str() == name) return &one;
    return nullptr;
  }

  std::shared_ptr<const DeviceDescription> device;
  std::map<std::string, Reading> readings;
};

TEST(SelfDevice, IsADeviceLikeTheOthers) {
  SelfDevice self{5};
  const PollResult polled = self.polled(tested_figures());
  EXPECT_EQ(polled.device, 5u);
  EXPECT_EQ(polled.communication, Communication::ok);
  Announced centre;
  centre.take(polled);
  EXPECT_EQ(centre.device->id, "self");
  EXPECT_EQ(centre.device->maker, "Watchroom");
  EXPECT_EQ(centre.device->resource_class, ResourceClass::key);
  EXPECT_LE(centre.device->max_silence, 60s);
  EXPECT_EQ(centre.readings.at("agent.cpu"), (Reading{1.5, Quality::good, tested_figures().at}));
  EXPECT_EQ(centre.readings.at("agent.disk_used").value, Value{60.0});
  EXPECT_EQ(centre.readings.at("agent.disk_state").value, Value{std::int64_t{0}});
  EXPECT_EQ(centre.readings.at("certificate[client].days").value, Value{std::int64_t{20}});
  EXPECT_EQ(centre.readings.at("bus[ttyS1].errors").value, Value{10.0});
  EXPECT_EQ(centre.readings.at("bus[snmp].devices_lost").value, Value{std::int64_t{1}});
  EXPECT_EQ(centre.readings.at("bus[snmp].lateness").value, Value{150.0});
  EXPECT_EQ(centre.readings.at("journal.oldest_age").value, Value{5.0});
  EXPECT_EQ(centre.readings.at("device.uptime").value, Value{100.0});
  EXPECT_EQ(centre.readings.at("orders.state").value, Value{std::int64_t{1}});
  EXPECT_EQ(centre.readings.at("orders.refused").value, Value{std::int64_t{4}});
  EXPECT_EQ(centre.readings.at("orders.key_since").value, Value{std::int64_t{1'799'999'000}});
  EXPECT_EQ(centre.point("journal.state")->traits->states.at(2).zh, "写入失败");
}

TEST(SelfDevice, TellsWhatTheLocalJudgeDoes) {
  SelfFigures figures = tested_figures();
  figures.judge.inhibit.is_inhibited = true;
  figures.judge.inhibit_text = "li until noon: work";
  SelfDevice self{0, true};
  Announced centre;
  centre.take(self.polled(figures));
  EXPECT_TRUE(centre.device->tells_events);
  EXPECT_EQ(centre.readings.at("local_output[siren].state").value, Value{std::int64_t{1}});
  EXPECT_EQ(centre.readings.at("reaction[smoke].state").value, Value{std::int64_t{2}});
  EXPECT_EQ(centre.readings.at("inhibit.state").value, Value{std::int64_t{1}});
  EXPECT_EQ(centre.readings.at("inhibit.text").value, Value{std::string{"li until noon: work"}});
  EXPECT_EQ(centre.point("local_output[siren].state")->traits->states.at(2).en, "does not obey");
  // Another text is no other point.
  figures.judge.inhibit_text = "wang";
  EXPECT_FALSE(self.polled(figures).description);
  figures.judge = {};
  centre.take(self.polled(figures));
  EXPECT_EQ(centre.point("inhibit.state"), nullptr) << "an agent without outputs has nothing to inhibit";
}

TEST(SelfDevice, CallsABusByItsOwnName) {
  SelfDevice self{0};
  Announced centre;
  centre.take(self.polled(tested_figures()));
  ASSERT_TRUE(centre.point("bus[ttyS1].load"));
  EXPECT_EQ(centre.point("bus[ttyS1].load")->label()->en, "Bus load /dev/ttyS1");
  EXPECT_FALSE(centre.point("bus[snmp].load")->label()) << "its name says it";
}

TEST(SelfDevice, AnExpiredCertificateHasDaysBelowZero) {
  SelfFigures figures = tested_figures();
  figures.certificates[0] = {"client", CertificateState::expired, -100.0};
  Announced centre;
  SelfDevice self{0};
  centre.take(self.polled(figures));
  EXPECT_EQ(centre.readings.at("certificate[client].days").value, Value{std::int64_t{-1}});
  EXPECT_EQ(centre.readings.at("certificate[client].state").value, Value{std::int64_t{2}});
}

TEST(SelfDevice, WhatIsNotKnownIsStaleAndNeverAValue) {
  SelfFigures figures = tested_figures();
  figures.certificates[0] = {"client", CertificateState::unreadable, std::nullopt};
  figures.buses[0].error_share.reset();
  figures.machine.temperature_celsius.reset();
  Announced centre;
  SelfDevice self{0};
  centre.take(self.polled(figures));
  for (const char* name : {"certificate[client].days", "bus[ttyS1].errors", "device.temperature"}) {
    EXPECT_EQ(centre.readings.at(name).quality, Quality::stale) << name;
    EXPECT_FALSE(centre.readings.at(name).value) << name;
  }
}

TEST(SelfDevice, DescribesItselfAnewOnlyWhenItsPointsChange) {
  SelfDevice self{0};
  Announced centre;
  centre.take(self.polled(tested_figures()));
  EXPECT_FALSE(self.polled(tested_figures()).description);
  SelfFigures figures = tested_figures();
  figures.buses.push_back(tested_bus("modbus-tcp 10.0.0.5:502"));
  const PollResult more = self.polled(figures);
  ASSERT_TRUE(more.description);
  centre.take(more);
  EXPECT_TRUE(centre.readings.contains("bus[modbus-tcp-10-0-0-5-502].load"));
  centre.take(self.polled(tested_figures()));
  EXPECT_FALSE(centre.readings.contains("bus[modbus-tcp-10-0-0-5-502].load"));
}

TEST(SelfDevice, ADayOfIdlingCostsAWholeReportAMinuteAndNoMore) {
  SelfDevice self{0};
  SelfFigures figures = tested_figures();
  Steady now{1'100s};
  std::unique_ptr<Reporter> reporter;
  std::size_t reports = 0, metrics = 0, urgent = 0;
  for (int i = 0; i < 24 * 360; ++i) {
    now += self_poll_interval;
    figures.steady = now;
    figures.at += self_poll_interval;
    // What moves in an agent that idles.
    figures.cpu_share = 0.01 + 0.01 * (i % 3);
    figures.process.written_bytes = *figures.process.written_bytes + 8192;
    figures.written_in_a_day = figures.process.written_bytes;
    figures.core.journal.waiting = static_cast<std::uint64_t>(i % 40);
    figures.core.journal.oldest_at = figures.at - std::chrono::seconds{i % 12};
    figures.clock.offset_s = 1e-4 * (i % 7);
    const PollResult polled = self.polled(figures);
    if (polled.description) reporter = std::make_unique<Reporter>(polled.description);
    const auto report = reporter->judge(polled, now);
    reports += report.has_value();
    if (report) metrics += report->metrics.size();
    urgent += report && report->is_urgent;
  }
  EXPECT_EQ(urgent, 1u) << "only the first";
  EXPECT_LE(reports, 1460u) << "one a minute, and a few for the writes and the uptime";
  EXPECT_LE(metrics, 1445u * 50);
}

}  // namespace
}  // namespace watchroom::agent
