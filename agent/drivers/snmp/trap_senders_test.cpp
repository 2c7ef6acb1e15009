// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_senders.hpp"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/name_server_peer.hpp"
#include "agent/drivers/snmp/trap_receiver.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

ConfiguredDevice device_at(const std::string& host) {
  std::vector<AddressComplaint> complaints;
  ConfiguredDevice device;
  device.address =
      parse_address("snmp://" + host + ":161?version=2c", AddressOrigin::settings, complaints).value();
  return device;
}

IpAddress ip(const std::string& text) { return parse_ip_address(text).value(); }

TEST(TrapSenders, FindADeviceAtEveryAddressOfItsNameAndWhereItMovedTo) {
  NameServerPeer server;
  server.tell("ups", {"10.0.0.9", "2001:db8::9"});
  HostNames names{{.kept_for = 1ms}, server.look_up()};
  const std::vector<ConfiguredDevice> devices{device_at("10.0.0.1"), device_at("ups")};
  TrapSenders senders{devices, names, {}, Log::quiet()};
  const auto is_at = [&](const std::string& address) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (senders.at(ip(address)).empty() && std::chrono::steady_clock::now() < deadline) {
      static_cast<void>(names.find("ups"));  // as polling does
      senders.refresh_names();
    }
    return senders.at(ip(address));
  };
  EXPECT_THAT(is_at("10.0.0.9"), ElementsAre(1u));
  EXPECT_THAT(is_at("2001:db8::9"), ElementsAre(1u));
  EXPECT_THAT(is_at("10.0.0.1"), ElementsAre(0u));
  server.tell("ups", {"10.0.0.10"});
  EXPECT_THAT(is_at("10.0.0.10"), ElementsAre(1u));
  EXPECT_THAT(senders.at(ip("10.0.0.9")), IsEmpty());
}

TEST(TrapSenders, ASilentNameServerHoldsUpNeitherStartNorStop) {
  NameServerPeer server;
  server.fall_silent();
  HostNames names{{}, server.look_up()};
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("watchroom-senders-{}", ::getpid());
  std::filesystem::create_directories(folder);
  AgentSettings settings;
  settings.data_dir = folder;
  settings.snmp_traps.listen = {"127.0.0.1:0"};
  for (int i = 0; i < 20; ++i) settings.devices.push_back(device_at(fmt::format("ups{}", i)));
  const SystemClock clock;
  const auto began = std::chrono::steady_clock::now();
  {
    TrapReceiver receiver{settings,
                          clock,
                          names,
                          Log::quiet(),
                          {[](const ReceivedTrap&) { return true; }, [](std::size_t, bool) {}}};
    receiver.start();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  server.give_up();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace watchroom::agent
