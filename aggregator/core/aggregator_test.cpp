// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/aggregator.hpp"

#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

namespace watchroom::aggregator {
namespace {

class NoAudit final : public AuditTrail {
 public:
  void record(AuditEvent) override {}
};

using namespace std::chrono_literals;

constexpr std::string_view rules = R"(
[[rule]]
id = "broker"
kind = "broker_unreachable"
title_zh = "消息服务器无法连接"
)";

/// Nobody answers: neither broker nor mail server. The one mail is tried again without pause.
AggregatorSettings settings_in(const std::filesystem::path& folder) {
  AggregatorSettings settings;
  settings.data_dir = folder;
  settings.core.intake.host_id = "watchroom";
  settings.core.commit_interval = 1ms;
  settings.broker.host = "127.0.0.1";
  settings.broker.port = 1;
  for (auto* file :
       {&settings.broker.ca_file, &settings.broker.certificate_file, &settings.broker.key_file}) {
    *file = folder / "none.pem";
    std::ofstream{*file} << "none";
  }
  EmailSettings email;
  email.server = "smtp://127.0.0.1:1";
  email.from = "watch@example.com";
  email.to = {"li@example.com"};
  email.retry_min = email.retry_max = 0ms;
  settings.core.email = email;
  Problems problems;
  settings.rules = read_rules(*SettingsTable::parse(rules, "rules.toml", problems));
  return settings;
}

TEST(AggregatorSettings, AHostIdMustFitIntoATopicAndAnAcknowledgement) {
  for (const auto* id : {"two words", "a/b", "中心", ""}) {
    Problems problems;
    const auto table = SettingsTable::parse(fmt::format("host_id = \"{}\"\n", id), "a.toml", problems);
    (void)AggregatorSettings::read(*table);
    EXPECT_NE(problems.str().find("host_id: "), std::string::npos) << id;
  }
}

/// For the thread and address sanitizers.
TEST(Aggregator, StopsInOrderWhileMailsAreUnderWay) {
  std::string name = ::testing::TempDir() + "aggregator-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const SystemClock clock;
  for (int i = 0; i < 10; ++i) {
    NoAudit audit;
    Aggregator aggregator{settings_in(folder), audit, [] { return Refusals{}; }, clock, Log::quiet()};
    ASSERT_TRUE(aggregator.start());
    const auto deadline = clock.steady() + 10s;
    while (aggregator.room().status().mails_waiting == 0 && clock.steady() < deadline)
      std::this_thread::yield();
    aggregator.stop();
    EXPECT_EQ(aggregator.room().status().intake_capacity, 100'000u);
    EXPECT_EQ(aggregator.room().status().mails_waiting, 1u);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace watchroom::aggregator
