// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/settings/listen_address.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

TEST(ListenAddress, IsAnAddressAndAPort) {
  EXPECT_EQ(ListenAddress::parse("127.0.0.1:9464"), (ListenAddress{"127.0.0.1", 9464}));
  EXPECT_EQ(ListenAddress::parse("[::1]:1"), (ListenAddress{"::1", 1}));
  EXPECT_EQ(ListenAddress::parse("[::1]:65535")->str(), "[::1]:65535");
  for (const char* wrong : {"", ":", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
                            "127.0.0.1:65536", "127.0.0.1:94x", "localhost:9464", "::1:9464",
                            "[127.0.0.1]:9464", "[]:9464", "127.0.0.1:-1", "127.0.0.1: 9464", "127.1:9464"})
    EXPECT_EQ(ListenAddress::parse(wrong), std::nullopt) << wrong;
}

TEST(ListenAddress, KnowsWhatOnlyThisMachineReaches) {
  for (const char* own : {"127.0.0.1:1", "127.9.8.7:1", "[::1]:1"})
    EXPECT_TRUE(ListenAddress::parse(own)->is_loopback()) << own;
  for (const char* open : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1", "[::ffff:127.0.0.1]:1"})
    EXPECT_FALSE(ListenAddress::parse(open)->is_loopback()) << open;
}

}  // namespace
}  // namespace watchroom::agent
