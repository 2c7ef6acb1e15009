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
    FoundPoints found{settings.data_dir, Log::quiet()};
    prepare_devices(settings, {}, found);
    EXPECT_EQ(settings.devices[0].description.points.size(), settings.devices[0].sources.size());
    std::promise<PollResult> first;
    std::atomic<bool> is_told = false;
    BusBoard board;
    Poller poller{settings, clock, Log::quiet(), board, [&](PollResult result) {
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

TEST_F(FoundPointsOf, DriversWhoseDevicesMayStillComeArePreparedAtStart) {
  AgentSettings settings;
  settings.data_dir = folder / "data";
  FoundPoints found{settings.data_dir, Log::quiet()};
  prepare_devices(settings, {}, found);
  EXPECT_NE(std::getenv("SNMP_PERSISTENT_DIR"), nullptr);
}

TEST_F(FoundPointsOf, ADataFolderThatCannotBeWrittenCostsNoSensor) {
  ModbusPeer peer;
  AgentSettings settings = settings_for(peer);
  std::ofstream{folder / "file"} << "";
  settings.data_dir = folder / "file";  // no folder can be made in it
  FoundPoints found{settings.data_dir, Log::quiet()};
  const ConfiguredDevice& device = settings.devices[0];
  const std::vector<FoundPoint> relays{{"relay[1].state", {}}, {"relay[2].state", {}}};
  EXPECT_EQ(found.add(device, relays, clock.steady()), relays);
  EXPECT_EQ(found.add(device, {relays[0]}, clock.steady()), relays);
  EXPECT_EQ(found.of(device), relays);
}

TEST_F(FoundPointsOf, TheListIsWholeAlthoughItsFileIsGoneMeanwhile) {
  ModbusPeer peer;
  const AgentSettings settings = settings_for(peer);
  FoundPoints found{settings.data_dir, Log::quiet()};
  const std::vector<FoundPoint> relays{{"relay[1].state", {}}};
  found.add(settings.devices[0], relays, clock.steady());
  std::filesystem::remove_all(settings.data_dir);
  EXPECT_EQ(found.of(settings.devices[0]), relays);
}

class FoundRows : public FoundPointsOf {
 protected:
  void SetUp() override {
    FoundPointsOf::SetUp();
    static constexpr std::string_view text = R"(schema = 1
maker = "T"
model = "T"
bus = "snmp"
source = "test"
confidence = "measured"
[[point]]
name = "interface[*].name"
unit = "text"
oid = "1.3.6.1.2.1.2.2.1.2"
table = true
rows_come_and_go = true
[[point]]
name = "outlet[*].current"
unit = "ampere"
oid = "1.3.6.1.4.1.99999.2.1"
table = true
)";
    Problems problems;
    device.profile = std::make_shared<const Profile>(Profile::parse(text, "t.toml", problems).value());
    device.description.id = "strip";
    found.emplace(folder / "data", Log::quiet());
  }
  static FoundPoint interface(std::uint32_t index) { return {"interface[*].name", {index}}; }
  static FoundPoint outlet(std::uint32_t index) { return {"outlet[*].current", {index}}; }

  ConfiguredDevice device;
  std::optional<FoundPoints> found;
  const Steady start{1000h};
};

TEST_F(FoundRows, ThatComeAndGoAreForgottenADayAfterTheyWereSeenLast) {
  const std::vector<FoundPoint> both{interface(1), outlet(1)};
  EXPECT_EQ(found->add(device, both, start), both);
  EXPECT_EQ(found->add(device, {}, start + 1h), both);
  EXPECT_EQ(found->add(device, {}, start + 24h), both);
  EXPECT_EQ(found->add(device, both, start + 24h + 30min), both);  // it was back
  EXPECT_EQ(found->add(device, {}, start + 25h), both);
  EXPECT_EQ(found->add(device, {}, start + 48h), both);
  EXPECT_EQ(found->add(device, {}, start + 49h), std::vector{outlet(1)}) << "an outlet is never forgotten";
  EXPECT_EQ(FoundPoints(folder / "data", Log::quiet()).of(device), std::vector{outlet(1)});
}

TEST_F(FoundRows, DoNotGrowWithoutEnd) {
  std::vector<FoundPoint> many;
  for (std::uint32_t i = 1; i <= 11'000; ++i) many.push_back(outlet(i));
  EXPECT_EQ(found->add(device, many, start).size(), 10'000u);
  EXPECT_EQ(found->add(device, {outlet(20'000)}, start + 1h).size(), 10'000u);
}

}  // namespace
}  // namespace watchroom::agent
