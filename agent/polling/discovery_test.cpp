// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/discovery.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/modbus/modbus_peer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using Deed = ModbusPeer::Deed;

class Discovery : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-discovery-XXXXXX").string();
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
    device.reply_timeout = 100ms;
    DevicePoints points = points_of(*device.profile, {});
    device.description.points = std::move(points.descriptions);
    device.sources = std::move(points.sources);
    AgentSettings settings;
    settings.data_dir = folder / "data";
    settings.devices = {std::move(device)};
    return settings;
  }
  std::size_t points_after_discovery(const ModbusPeer& peer) {
    AgentSettings settings = settings_for(peer);
    discover_points(settings, clock, Log::quiet());
    EXPECT_EQ(settings.devices[0].description.points.size(), settings.devices[0].sources.size());
    return settings.devices[0].sources.size();
  }

  SystemClock clock;
  std::filesystem::path folder;
};

TEST_F(Discovery, AddsWhatTheDeviceHas) {
  ModbusPeer with_relays, without_relays;
  without_relays.behave([](const ModbusPeer::Asked& asked) {
    return asked.function == 1 ? Deed{.kind = Deed::Kind::exception, .exception = 1} : Deed{};
  });
  EXPECT_EQ(points_after_discovery(without_relays), 8u);
  EXPECT_EQ(points_after_discovery(with_relays), 16u);
}

TEST_F(Discovery, RemembersTheDeviceThatIsSilentNow) {
  ModbusPeer peer;
  EXPECT_EQ(points_after_discovery(peer), 16u);
  peer.behave([](const ModbusPeer::Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  EXPECT_EQ(points_after_discovery(peer), 16u);
}

TEST_F(Discovery, KeepsWhatTheDeviceShowsNoMore) {
  ModbusPeer peer;
  EXPECT_EQ(points_after_discovery(peer), 16u);
  peer.behave([](const ModbusPeer::Asked& asked) {
    return asked.function == 1 ? Deed{.kind = Deed::Kind::exception, .exception = 1} : Deed{};
  });
  EXPECT_EQ(points_after_discovery(peer), 16u);
}

TEST_F(Discovery, ForgetsWhatBelongedToAnotherAddress) {
  ModbusPeer before, now;
  EXPECT_EQ(points_after_discovery(before), 16u);
  now.behave([](const ModbusPeer::Asked&) { return Deed{.kind = Deed::Kind::silence}; });
  EXPECT_EQ(points_after_discovery(now), 8u);
}

TEST_F(Discovery, ADamagedMemoryIsNoMoreThanNone) {
  ModbusPeer peer;
  std::filesystem::create_directories(folder / "data");
  for (const char* text :
       {"", "{", "[]", R"({"contacts1": 5})", R"({"contacts1": {"of": 1, "points": 3}})"}) {
    std::ofstream{folder / "data" / "found_points.json"} << text;
    EXPECT_EQ(points_after_discovery(peer), 16u) << text;
  }
}

}  // namespace
}  // namespace watchroom::agent
