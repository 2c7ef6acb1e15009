// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/net_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using testing::HasSubstr;

NetAddress good(std::string_view text) {
  std::vector<AddressComplaint> complaints;
  const auto address = parse_address(text, AddressOrigin::settings, complaints);
  EXPECT_TRUE(address) << text << ": " << (complaints.empty() ? "" : complaints[0].text);
  return address ? address->where.as<NetAddress>() : NetAddress{};
}

std::string complaint(std::string_view text) {
  std::vector<AddressComplaint> complaints;
  EXPECT_FALSE(parse_address(text, AddressOrigin::settings, complaints)) << text;
  return complaints.empty() ? "" : complaints[0].part + ": " + complaints[0].text;
}

TEST(NetAddress, ReadsAHostToPing) {
  EXPECT_EQ(good("icmp://10.0.0.1").peer, (TcpPeer{"10.0.0.1", 0}));
  EXPECT_EQ(good("icmp://[::1]#echoes=5").peer.host, "::1");
  EXPECT_EQ(good("icmp://switch-1#echoes=5").echoes, 5);
}

TEST(NetAddress, ReadsAPort) { EXPECT_EQ(good("tcp://db.example:5432").peer, (TcpPeer{"db.example", 5432})); }

TEST(NetAddress, KeepsThePagesOwnQueryApartFromItsOptions) {
  const NetAddress page =
      good("http://intranet:8080/a/b?c=d&status=9#status=200,401&text=all%20well&redirects=2");
  EXPECT_EQ(page.url(), "http://intranet:8080/a/b?c=d&status=9");
  EXPECT_EQ(page.statuses, (std::vector{200, 401}));
  EXPECT_EQ(page.text, "all well");
  EXPECT_EQ(page.redirects, 2);
  EXPECT_EQ(good("https://[2001:db8::1]?x").url(), "https://[2001:db8::1]:443?x");
  EXPECT_FALSE(good("https://h/#verify=no").is_verified);
  EXPECT_EQ(good("https://h/#ca_file=/etc/ca.pem").ca_file, "/etc/ca.pem");
}

TEST(NetAddress, SaysWhatIsWrong) {
  EXPECT_THAT(complaint("icmp://"), HasSubstr("host: is missing"));
  EXPECT_THAT(complaint("icmp://h:7"), HasSubstr("port: does not belong"));
  EXPECT_THAT(complaint("icmp://h#echoes=11"), HasSubstr("echoes: 11 is out of range, expected 1 to 10"));
  EXPECT_THAT(complaint("icmp://h/path"), HasSubstr("path: \"/path\" does not belong"));
  EXPECT_THAT(complaint("tcp://h"), HasSubstr("port: is missing"));
  EXPECT_THAT(complaint("tcp://h:99999"), HasSubstr("port: 99999 is out of range"));
  EXPECT_THAT(complaint("tcp://h:1#status=200"), HasSubstr("status: unknown part"));
  EXPECT_THAT(complaint("http://h#status=20"), HasSubstr("status: \"20\" is not valid"));
  EXPECT_THAT(complaint("http://h#verify=no"), HasSubstr("verify: unknown part"));
  EXPECT_THAT(complaint("http://h#/login"), HasSubstr("expected key=value"));
  EXPECT_THAT(complaint("http://me@h/"), HasSubstr("host: holds a user"));
  EXPECT_THAT(complaint("https://h#ca_file=ca.pem"), HasSubstr("ca_file: \"ca.pem\" is not valid"));
  EXPECT_THAT(complaint("https://h#ca_file=/a&verify=no"), HasSubstr("ca_file: does not go with verify=no"));
}

}  // namespace
}  // namespace watchroom::agent
