// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/commands/scan_range.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> expanded(std::string_view url, int limit = 10) {
  auto all = expand_range(url, limit);
  EXPECT_TRUE(all) << all.error().text;
  return *std::move(all);
}

TEST(ScanRange, CountsUnitsOfALine) {
  EXPECT_THAT(expanded("modbus-rtu:///dev/ttyS1?baud=9600&unit=3-5&parity=N"),
              ElementsAre("modbus-rtu:///dev/ttyS1?baud=9600&unit=3&parity=N",
                          "modbus-rtu:///dev/ttyS1?baud=9600&unit=4&parity=N",
                          "modbus-rtu:///dev/ttyS1?baud=9600&unit=5&parity=N"));
}

TEST(ScanRange, CountsHostsAndKeepsThePort) {
  EXPECT_THAT(expanded("snmp://10.0.0.9-11:1161?community=public"),
              ElementsAre("snmp://10.0.0.9:1161?community=public", "snmp://10.0.0.10:1161?community=public",
                          "snmp://10.0.0.11:1161?community=public"));
  EXPECT_THAT(expanded("modbus-tcp://10.0.0.4/30?unit=1-2"),
              ElementsAre("modbus-tcp://10.0.0.5?unit=1", "modbus-tcp://10.0.0.5?unit=2",
                          "modbus-tcp://10.0.0.6?unit=1", "modbus-tcp://10.0.0.6?unit=2"));
}

TEST(ScanRange, LeavesASingleAddressAlone) {
  for (const char* url : {"snmp://ups-1.example:161?community=x", "snmp://[::1]:161?community=x", "nonsense"})
    EXPECT_THAT(expanded(url, 1), ElementsAre(url));
}

TEST(ScanRange, RefusesWhatIsNoRangeOrTooMuch) {
  EXPECT_THAT(expand_range("modbus-tcp://10.0.0.9-3", 10).error().text, HasSubstr("is no range"));
  EXPECT_THAT(expand_range("modbus-tcp://10.0.0.0/8", 10).error().text, HasSubstr("is no range"));
  EXPECT_THAT(expand_range("modbus-tcp://10.0.0.1?unit=9-3", 10).error().text, HasSubstr("is no range"));
  EXPECT_THAT(expand_range("modbus-tcp://10.0.0.0/24?unit=1-247", 1024).error().text,
              HasSubstr("62738 addresses are more than 1024"));
}

}  // namespace
}  // namespace watchroom::agent
