// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/order.hpp"

#include "messages/trust.pb.h"
#include "proto/trust/test_signer.hpp"

namespace watchroom {
namespace {

TEST(Order, IsReadAsItWasWritten) {
  const Order order = test_order();
  const auto read = read_order(canonical_bytes(order));
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(*read, order);
}

TEST(Order, ThereIsOneWayToWriteIt) {
  const std::string bytes = canonical_bytes(test_order());
  wire::Order message;
  ASSERT_TRUE(message.ParseFromString(bytes));
  message.clear_agent();
  EXPECT_FALSE(read_order(message.SerializeAsString()));          // a field is missing
  EXPECT_FALSE(read_order(bytes + std::string{"\x5a\x01x", 3}));  // field 11, which nobody knows
  EXPECT_FALSE(read_order(bytes + std::string{"\x0a\x01x", 3}));  // the kind twice: the last one would count
  const std::string number{"\x28\x07", 2};
  const auto at = bytes.find(number);
  ASSERT_NE(at, std::string::npos);
  std::string longer = bytes;
  longer.replace(at, 2, std::string{"\x28\x87\x00", 3});  // 7 in two bytes
  EXPECT_FALSE(read_order(longer));
  std::string moved = bytes;
  moved.erase(at, 2);
  EXPECT_FALSE(read_order(moved + number));  // out of order
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_order(bytes.substr(0, size))) << size;
}

TEST(Order, WhatMakesNoSenseIsRefused) {
  const auto refuses = [](auto change) {
    Order order = test_order();
    change(order);
    const auto read = read_order(canonical_bytes(order));
    return !read && read.error().code == Errc::corrupt;
  };
  EXPECT_TRUE(refuses([](Order& s) { s.kind = ""; }));
  EXPECT_TRUE(refuses([](Order& s) { s.kind = "Output order"; }));
  EXPECT_TRUE(refuses([](Order& s) { s.kind = std::string(65, 'a'); }));
  EXPECT_TRUE(refuses([](Order& s) { s.agent = "#"; }));
  EXPECT_TRUE(refuses([](Order& s) { s.site = ""; }));
  EXPECT_TRUE(refuses([](Order& s) { s.issuer = "a/b"; }));
  EXPECT_TRUE(refuses([](Order& s) { s.number = 0; }));
  EXPECT_TRUE(refuses([](Order& s) { s.expires = s.issued; }));
  EXPECT_TRUE(refuses([](Order& s) { s.challenge = std::string(65, 'a'); }));
  EXPECT_TRUE(refuses([](Order& s) { s.body = std::string(longest_order, 'x'); }));
}

}  // namespace
}  // namespace watchroom
