// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/object_reader.hpp"

#include <gtest/gtest.h>

#include "agent/drivers/snmp/snmp.hpp"
#include "agent/drivers/snmp/snmp_relay_peer.hpp"
#include "agent/drivers/snmp/snmpd_peer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

class ReadObjects : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::vector<std::string> objects;
    for (int i = 1; i <= 5; ++i)
      objects.push_back("1.3.6.1.4.1.99999.7." + std::to_string(i) + ".0 integer 1");
    peer = new SnmpdPeer{objects, {}};
    snmp.prepare(peer->folder() / "data");
  }
  static void TearDownTestSuite() {
    delete peer;
    peer = nullptr;
  }

  void start(const std::string& version, std::optional<SnmpRelayPeer::Denial> denial = {}) {
    relay_.emplace(peer->port(), std::move(denial));
    std::vector<AddressComplaint> complaints;
    const auto address =
        parse_address(fmt::format("snmp://127.0.0.1:{}?version={}&community=watch", relay_->port(), version),
                      AddressOrigin::probe, complaints);
    session_.emplace(*address, names_, keyring_, 1s, std::stop_token{});
    reader_.emplace(*session_, traits_, version != "1");
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    const Oid system_description{1, 3, 6, 1, 2, 1, 1, 1, 0};
    while (!reader_->get({system_description}, true) && std::chrono::steady_clock::now() < deadline) continue;
  }
  /// Those that are there: 1 to 5.
  static std::vector<Oid> objects(std::uint32_t first, std::uint32_t last) {
    std::vector<Oid> all;
    for (std::uint32_t i = first; i <= last; ++i) all.push_back({1, 3, 6, 1, 4, 1, 99999, 7, i, 0});
    return all;
  }
  /// How many requests one poll takes.
  int requests_of_poll(const std::vector<Oid>& oids, Steady now) {
    const int before = relay_->requests();
    const auto found = reader_->poll(oids, true, now);
    EXPECT_TRUE(found) << found.error().text;
    EXPECT_EQ(found->size(), 5u);
    return relay_->requests() - before;
  }

  static inline SnmpdPeer* peer = nullptr;
  HostNames names_;
  SnmpKeyring keyring_;
  SnmpTraits traits_;
  std::optional<SnmpRelayPeer> relay_;
  std::optional<SnmpSession> session_;
  std::optional<ObjectReader> reader_;
};

TEST_F(ReadObjects, WhatIsNotThereIsLeftOutLongerEachTime) {
  for (const char* version : {"1", "2c"}) {
    start(version);
    const int with_absent = std::string_view{version} == "1" ? 31 : 2;  // v1 refuses the request for each
    const auto all = objects(1, 35);
    Steady now{1000h};
    EXPECT_GE(requests_of_poll(all, now), with_absent) << version;
    EXPECT_EQ(requests_of_poll(all, now + 9s), 1) << version;
    EXPECT_GE(requests_of_poll(all, now + 10s), with_absent) << version;
    EXPECT_EQ(requests_of_poll(all, now + 29s), 1) << version;
    EXPECT_GE(requests_of_poll(all, now + 30s), with_absent) << version;
    for (int i = 0; i < 10; ++i) requests_of_poll(all, now += 20min);
    EXPECT_EQ(requests_of_poll(all, now + 59s), 1) << version;
    EXPECT_GE(requests_of_poll(all, now + 60s), with_absent) << version;
    reader_->forget_absences();
    EXPECT_GE(requests_of_poll(all, now + 61s), with_absent) << version;
  }
}

TEST_F(ReadObjects, ADeviceThatHasNothingIsStartingUpAndTeachesNothing) {
  start("2c");
  for (int i = 0; i < 3; ++i) {
    const int before = relay_->requests();
    const auto found = reader_->poll(objects(11, 15), true, Steady{1000h});
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->empty());
    EXPECT_EQ(relay_->requests() - before, 1);
  }
}

TEST_F(ReadObjects, OneObjectThatIsDeniedLeavesTheOthersReadable) {
  constexpr std::uint8_t no_access = 6, authorization_error = 16;
  for (const auto error : {no_access, authorization_error})
    for (const bool names_the_object : {true, false}) {
      start("2c", SnmpRelayPeer::Denial{error, {7, 3, 0}, names_the_object});
      const auto found = reader_->poll(objects(1, 5), true, Steady{1000h});
      ASSERT_TRUE(found) << found.error().text;
      EXPECT_EQ(found->size(), 4u);
    }
}

TEST_F(ReadObjects, ADeviceThatDeniesEverythingIsNotAuthorized) {
  for (const bool names_the_object : {true, false}) {
    start("2c", SnmpRelayPeer::Denial{16, {0}, names_the_object});
    const auto found = reader_->poll(objects(1, 5), true, Steady{1000h});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::not_authorized);
  }
}

}  // namespace
}  // namespace watchroom::agent
