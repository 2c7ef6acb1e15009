// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// SET with read-back, against net-snmp's own daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/snmp/snmp.hpp"
#include "agent/drivers/snmp/snmp_address.hpp"
#include "agent/drivers/snmp/snmpd_peer.hpp"
#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string head =
    "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"snmp\"\nsource = \"test\"\nconfidence = \"measured\"\n"
    "[snmp]\nrecognised_by = [\"1.3.6.1.4.1.99999\"]\n";
const std::string on_off =
    "states = { 1 = { zh = \"断开\", en = \"off\" }, 2 = { zh = \"吸合\", en = \"on\" } }\n";

std::string outlet(const std::string& more) {
  return "[[point]]\nname = \"outlet[1].state\"\nunit = \"state\"\noid = \"1.3.6.1.4.1.99999.2.1.0\"\n" +
         on_off + more;
}
const std::string set_point =
    "[[point]]\nname = \"cooling.temperature_set_point\"\nunit = \"celsius\"\noid = "
    "\"1.3.6.1.4.1.99999.2.2.0\"\n"
    "scale = 0.1\nplausible = { min = 16, max = 30 }\nwritable = true\n";

std::string problems_of(const std::string& body) {
  Problems problems;
  Profile::parse(head + body, "p.toml", problems);
  return problems.str();
}

class SnmpWrite : public testing::Test {
 protected:
  void SetUp() override { snmp.prepare(peer.folder()); }

  std::unique_ptr<Bus> bus(const std::string& body, const std::string& query, const std::string& community) {
    Problems problems;
    auto profile = Profile::parse(head + body, "p.toml", problems);
    EXPECT_TRUE(profile) << problems.str();
    std::vector<AddressComplaint> complaints;
    device.address = parse_address("snmp://127.0.0.1:" + std::to_string(peer.port()) + query,
                                   AddressOrigin::settings, complaints)
                         .value();
    device.address.secrets.clear();
    if (community.empty()) {
      device.address.secrets.push_back({authentication_key, peer.secret("auth", "authpass1")});
      device.address.secrets.push_back({privacy_key, peer.secret("priv", "privpass1")});
    } else {
      device.address.secrets.push_back({community_key, peer.secret("community-" + community, community)});
    }
    device.reply_timeout = 400ms;
    device.profile = std::make_shared<const Profile>(*std::move(profile));
    PointLists lists;
    set_points(device, {}, lists);
    return snmp.make({device}, {clock, Log::quiet(), peer.folder(), {}});
  }
  Result<WriteOutcome> write(const std::string& body, Value value, const std::string& query = "?version=2c",
                             const std::string& community = "master") {
    const auto target = bus(body, query, community);
    // A daemon that starts, or a first contact of version 3, may take a moment.
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (target->read(0).communication != Communication::ok && std::chrono::steady_clock::now() < until) {
    }
    return target->write(0, device.sources[0], value);
  }

  SystemClock clock;
  ConfiguredDevice device;
  SnmpdPeer peer{{},
                 {"rwcommunity master 127.0.0.1", "createUser admin SHA-256 \"authpass1\" AES \"privpass1\"",
                  "rwuser admin priv", "override -rw .1.3.6.1.4.1.99999.2.1.0 integer 1",
                  "override -rw .1.3.6.1.4.1.99999.2.2.0 integer 200",
                  "override -rw .1.3.6.1.4.1.99999.2.3.0 octet_str \"text\"",
                  "override .1.3.6.1.4.1.99999.2.4.0 integer 1"}};
};

TEST_F(SnmpWrite, ASwitchIsSetAndReadBackInEveryVersion) {
  for (const auto& [query, community] : {std::pair{"?version=1", "master"},
                                         {"?version=2c", "master"},
                                         {"?version=3&user=admin&auth=SHA-256&priv=AES", ""}})
    for (const std::int64_t state : {2, 1}) {
      const auto outcome = write(outlet("writable = true\n"), Value{state}, query, community);
      ASSERT_TRUE(outcome) << query << ": " << outcome.error().text;
      EXPECT_TRUE(outcome->agrees) << query;
      EXPECT_EQ(outcome->read_back.value, Value{state});
      EXPECT_EQ(outcome->doubt, "");
    }
}

TEST_F(SnmpWrite, ANumberIsSetInTheStepsOfTheDevice) {
  const auto outcome = write(set_point, Value{23.5});
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->read_back.value, Value{23.5});
  EXPECT_TRUE(outcome->agrees);
  EXPECT_THAT(write(set_point, Value{23.55}).error().text, HasSubstr("lies between two steps"));
  EXPECT_THAT(write(set_point, Value{31.0}).error().text, HasSubstr("expected 16 to 30"));
}

TEST_F(SnmpWrite, ACommunityThatMayOnlyReadIsRefusedAndSaysSo) {
  const auto second = write(outlet("writable = true\n"), Value{std::int64_t{2}}, "?version=2c", "watch");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text, HasSubstr("may only read"));
  const auto first = write(outlet("writable = true\n"), Value{std::int64_t{2}}, "?version=1", "watch");
  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().text, HasSubstr("may only read"));
}

TEST_F(SnmpWrite, AnObjectOfAnotherTypeOrOneThatIsOnlyReadIsRefused) {
  const auto text = write(outlet("writable = true\nwrite = { oid = \"1.3.6.1.4.1.99999.2.3.0\", on = 2 }\n"),
                          Value{std::int64_t{2}});
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().text, HasSubstr("wrongType"));
  const auto fixed = write(outlet("writable = true\nwrite = { oid = \"1.3.6.1.4.1.99999.2.4.0\", on = 2 }\n"),
                           Value{std::int64_t{2}});
  ASSERT_FALSE(fixed);
  EXPECT_EQ(fixed.error().code, Errc::refused);
  const auto none = write(outlet("writable = true\nwrite = { oid = \"1.3.6.1.4.1.99999.2.9.0\", on = 2 }\n"),
                          Value{std::int64_t{2}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::refused);
}

TEST_F(SnmpWrite, WhatIsNotReadBackAsWrittenDoesNotAgree) {
  const auto outcome =
      write(outlet("writable = true\nwrite = { oid = \"1.3.6.1.4.1.99999.2.2.0\", on = 3, off = 4 }\n"),
            Value{std::int64_t{2}});
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_FALSE(outcome->agrees);
  EXPECT_EQ(outcome->read_back.value, Value{std::int64_t{1}});
}

TEST_F(SnmpWrite, SilenceLeavesDoubtAndTheValueIsUnknown) {
  ASSERT_TRUE(write(outlet("writable = true\n"), Value{std::int64_t{1}}));
  const auto target = bus(outlet("writable = true\n"), "?version=2c", "master");
  peer.freeze();
  const auto outcome = target->write(0, device.sources[0], Value{std::int64_t{2}});
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_THAT(outcome->doubt, HasSubstr("no answer"));
  EXPECT_FALSE(outcome->agrees);
  EXPECT_FALSE(outcome->read_back.value);
  peer.thaw();
}

TEST(SnmpWritablePoint, WhatMayReleaseAgentIsNeverWritable) {
  EXPECT_THAT(problems_of("[[point]]\nname = \"gas_cylinder[1].pressure\"\nunit = \"megapascal\"\n"
                          "oid = \"1.3.6.1.4.1.99999.2.1.0\"\nwritable = true\n"),
              HasSubstr("never releases extinguishing agent"));
  EXPECT_THAT(problems_of(outlet("writable = true\nlabel = { zh = \"气体灭火\", en = \"outlet\" }\n")),
              HasSubstr("never releases extinguishing agent"));
  EXPECT_THAT(
      problems_of(
          outlet("writable = true\n") +
          "[[point]]\nname = \"fire[1].alarm\"\nunit = \"state\"\noid = \"1.3.6.1.4.1.99999.2.5.0\"\n" +
          on_off),
      HasSubstr("never releases extinguishing agent"));
}

TEST(SnmpWritablePoint, IsAWholeObjectOfAKindThatMayBeSet) {
  EXPECT_EQ(problems_of(outlet("writable = true\n")), "");
  EXPECT_THAT(problems_of(outlet("writable = true\nbit = 1\n")), HasSubstr("an object is written whole"));
  EXPECT_THAT(problems_of(outlet("write = { on = 1 }\n")), HasSubstr("no such key without"));
  EXPECT_THAT(problems_of(outlet("writable = true\nwrite = { oid = \"1.3.6.1.4.1.99999.2.9.0\" }\n")),
              HasSubstr("because another object is written than is read"));
  EXPECT_THAT(problems_of("[[point]]\nname = \"ambient.temperature\"\nunit = \"celsius\"\n"
                          "oid = \"1.3.6.1.4.1.99999.2.1.0\"\nwritable = true\n"),
              HasSubstr("is only read; points of these kinds may be written"));
}

}  // namespace
}  // namespace watchroom::agent
