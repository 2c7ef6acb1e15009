// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <atomic>
#include <fstream>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/modbus/modbus_peer.hpp"
#include "agent/polling/poller.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Deed = ModbusPeer::Deed;

class FoundPointsOf : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-found-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// Contacts that every device has, relays that some have.
  AgentSettings settings_for(const ModbusPeer& peer) const {
    Problems problems;
    std::vector<AddressComplaint> complaints;
    ConfiguredDevice device;
    device.description.id = "contacts1";
    device.description.profile = "waveshare_modbus_rtu_io_8ch";
    device.profile =
        std::make_shared<const Profile>(Profile::load(std::filesystem::path{WATCHROOM_SOURCE_DIR} /
                                                          "agent/profiles/waveshare_modbus_rtu_io_8ch.toml",
                                                      problems)
                                            .value());
    device.address = parse_address(peer.url(1), AddressOrigin::settings, complaints).value();
    device.description.poll_interval = 100ms;
    device.reply_timeout = 100ms;
    DevicePoints points = points_of(*device.profile, {});
    device.description.points = std::move(points.descriptions);
    device.sources = std::move(points.sources);
    AgentSettings settings;
    settings.data_dir = folder / "data";
    settings.devices = {std::move(device)};
    return settings;
  }
  /// How many points the agent knows after a start and a first answer, or silence.
  std::size_t points_after_discovery(const ModbusPeer& peer) {
    AgentSettings settings = settings_for(peer);
    prepare_devices(settings, {}, Log::quiet());
    EXPECT_EQ(settings.devices[0].description.points.size(), settings.devices[0].sources.size());
    std::promise<PollResult> first;
    std::atomic<bool> is_told = false;
    Poller poller{settings, clock, Log::quiet(), [&](PollResult result) {
                    if (!is_told.exchange(true)) first.set_value(std::move(result));
                  }};
    poller.start();
    const PollResult result = first.get_future().get();
    poller.stop();
    if (result.description) {
      EXPECT_EQ(result.description->points.size(), result.readings.size());
    }
    return result.readings.size();
  }

  SystemClock clock;
  std::filesystem::path folder;
};

TEST_F(FoundPointsOf, AddsWhatTheDeviceHas) {
  ModbusPeer with_relays, without_relays;
  without_relays.behave([](const ModbusPeer::Asked& asked) {
    return asked.function == 1 ? Deed{.kind = Deed::Kind::exception, .exception = 1} : Deed{};
  });
  EXPECT_EQ(points_after_discovery(without_relays), 8u);
  EXPECT_EQ(points_after_discovery(with_relays), 16u);
}

TEST_F(FoundPointsOf, RemembersTheDeviceThatIsSilentNow) {
  ModbusPeer peer;
  EXPECT_EQ(points_after_discovery(peer), 16u);
  peer.behave([](const ModbusPeer::Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  EXPECT_EQ(points_after_discovery(peer), 16u);
}

TEST_F(FoundPointsOf, KeepsWhatTheDeviceShowsNoMore) {
  ModbusPeer peer;
  EXPECT_EQ(points_after_discovery(peer), 16u);
  peer.behave([](const ModbusPeer::Asked& asked) {
    return asked.function == 1 ? Deed{.kind = Deed::Kind::exception, .exception = 1} : Deed{};
  });
  EXPECT_EQ(points_after_discovery(peer), 16u);
}

TEST_F(FoundPointsOf, ForgetsWhatBelongedToAnotherAddress) {
  ModbusPeer before, now;
  EXPECT_EQ(points_after_discovery(before), 16u);
  now.behave([](const ModbusPeer::Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  EXPECT_EQ(points_after_discovery(now), 8u);
}

TEST_F(FoundPointsOf, ADamagedMemoryIsNoMoreThanNone) {
  ModbusPeer peer;
  std::filesystem::create_directories(folder / "data" / "found_points");
  for (const char* text : {"", "{", "[]", R"({"of": 1, "points": 3})", R"({"points": []})"}) {
    std::ofstream{folder / "data" / "found_points" / "contacts1.json"} << text;
    EXPECT_EQ(points_after_discovery(peer), 16u) << text;
  }
}

}  // namespace
}  // namespace watchroom::agent
