// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/device_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/modbus/modbus_address.hpp"
#include "agent/drivers/snmp/snmp_address.hpp"

namespace watchroom::agent {
namespace {

DeviceAddress good(std::string_view text, AddressOrigin origin = AddressOrigin::settings) {
  std::vector<AddressComplaint> complaints;
  auto address = parse_address(text, origin, complaints);
  EXPECT_TRUE(address) << text << ": " << (complaints.empty() ? "" : complaints[0].text);
  return address.value_or(DeviceAddress{});
}

/// "part: text" of the only complaint.
std::string complaint(std::string_view text, AddressOrigin origin = AddressOrigin::settings) {
  std::vector<AddressComplaint> complaints;
  EXPECT_FALSE(parse_address(text, origin, complaints)) << text;
  EXPECT_EQ(complaints.size(), 1u) << text;
  return complaints.empty() ? "" : complaints[0].part + ": " + complaints[0].text;
}

TEST(DeviceAddress, ReadsModbusTcp) {
  const DeviceAddress address = good("modbus-tcp://10.0.0.5:1502?unit=7");
  const auto& modbus = address.where.as<ModbusAddress>();
  EXPECT_EQ(std::get<TcpPeer>(modbus.line), (TcpPeer{"10.0.0.5", 1502}));
  EXPECT_EQ(modbus.unit, 7);
  EXPECT_EQ(address.driver(), "modbus");
  EXPECT_EQ(address.bus(), "modbus-tcp 10.0.0.5:1502");
  EXPECT_EQ(std::get<TcpPeer>(good("modbus-tcp://gateway").where.as<ModbusAddress>().line).port, 502);
  EXPECT_EQ(std::get<TcpPeer>(good("modbus-tcp://[::1]:77").where.as<ModbusAddress>().line),
            (TcpPeer{"::1", 77}));
}

TEST(DeviceAddress, ReadsASerialLine) {
  const DeviceAddress address = good("modbus-rtu:///dev/ttyS1?baud=4800&parity=E&stop_bits=2&unit=3");
  const auto& line = std::get<SerialLine>(address.where.as<ModbusAddress>().line);
  EXPECT_EQ(line, (SerialLine{"/dev/ttyS1", 4800, 'E', 8, 2}));
  EXPECT_EQ(address.bus(), "/dev/ttyS1");
}

TEST(DeviceAddress, ReadsSnmpWithAUser) {
  const DeviceAddress address = good("snmp://ups.example:1161?version=3&user=watch&auth=SHA-256&priv=AES");
  const auto& snmp = address.where.as<SnmpAddress>();
  EXPECT_EQ(snmp.version, SnmpVersion::v3);
  EXPECT_EQ(snmp.user, "watch");
  EXPECT_EQ(snmp.authentication, SnmpAuthentication::sha256);
  EXPECT_EQ(snmp.privacy, SnmpPrivacy::aes);
  EXPECT_EQ(address.bus(), "snmp ups.example:1161");
}

TEST(DeviceAddress, AProbeMayCarryACommunityAndDoesNotShowIt) {
  const DeviceAddress address =
      good("snmp://10.0.0.9?community=secret%20one&version=1", AddressOrigin::probe);
  const DeviceSecret* community = address.secret(community_key);
  ASSERT_NE(community, nullptr);
  EXPECT_EQ(*community->read(), "secret one");
  EXPECT_THAT(address.text, testing::Not(testing::HasSubstr("secret")));
}

TEST(DeviceAddress, SaysWhatIsWrong) {
  EXPECT_THAT(complaint("telegraph://x"), testing::HasSubstr("expected scheme://"));
  EXPECT_THAT(complaint("modbus-tcp"), testing::HasSubstr("expected scheme://"));
  EXPECT_THAT(complaint("modbus-tcp://h?unit=300"),
              testing::HasSubstr("unit: 300 is out of range, expected 0 to 247"));
  EXPECT_THAT(complaint("modbus-tcp://h?unit=250"), testing::HasSubstr("unit: 250 is out of range"));
  EXPECT_THAT(complaint("modbus-rtu:///dev/x?unit=0"), testing::HasSubstr("expected 1 to 247"));
  EXPECT_THAT(complaint("modbus-tcp://h:99999"), testing::HasSubstr("port: 99999"));
  EXPECT_THAT(complaint("modbus-tcp://?unit=1"), testing::HasSubstr("host: is missing"));
  EXPECT_THAT(complaint("modbus-rtu://ttyS1"), testing::HasSubstr("path: "));
  EXPECT_THAT(complaint("modbus-rtu:///dev/x?baud=9601"), testing::HasSubstr("baud: \"9601\" is not valid"));
  EXPECT_THAT(complaint("modbus-tcp://h?unti=1"), testing::HasSubstr("unti: unknown part"));
  EXPECT_THAT(complaint("modbus-tcp://h?unit=1&unit=2"), testing::HasSubstr("is given twice"));
  EXPECT_THAT(complaint("modbus-tcp://h?unit"), testing::HasSubstr("expected key=value"));
  EXPECT_THAT(complaint("snmp://h?version=3"), testing::HasSubstr("user: is missing"));
  EXPECT_THAT(complaint("snmp://h?version=3&user=a&priv=AES"), testing::HasSubstr("priv: needs auth"));
  EXPECT_THAT(complaint("snmp://h?user=a"), testing::HasSubstr("user: needs version=3"));
  EXPECT_THAT(complaint("snmp://h", AddressOrigin::probe), testing::HasSubstr("community: is missing"));
  EXPECT_THAT(complaint("snmp://h?community=public"), testing::HasSubstr("community_file"));
}

}  // namespace
}  // namespace watchroom::agent
