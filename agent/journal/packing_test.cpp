// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/packing.hpp"

#include <random>

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

std::string repeating(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "sensor[" + std::to_string(text.size() % 97) + "].temperature";
  text.resize(size);
  return text;
}

TEST(Packing, WhatRepeatsItselfComesBackFromLess) {
  for (const std::size_t size : {200u, 4096u, 4097u, 50'000u, 1'000'000u}) {
    const std::string text = repeating(size);
    const auto packed = pack(text);
    ASSERT_TRUE(packed) << size;
    EXPECT_LT(packed->size(), size / 2);
    EXPECT_EQ(unpack(*packed), text) << size;
  }
}

TEST(Packing, WhatWouldNotShrinkIsLeft) {
  std::mt19937 random{1};
  std::string noise(300, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  EXPECT_FALSE(pack(noise));
  EXPECT_FALSE(pack(""));
  EXPECT_FALSE(pack("a"));
}

TEST(Packing, DamageIsRefused) {
  const std::string packed = *pack(repeating(5000));
  EXPECT_FALSE(unpack(""));
  EXPECT_FALSE(unpack("what is this"));
  EXPECT_FALSE(unpack(packed.substr(0, packed.size() - 1)));
  EXPECT_FALSE(unpack(packed + "x"));
}

TEST(Packing, ABombIsRefused) {
  const auto bomb = pack(std::string(100'000'000, 'x'));
  ASSERT_TRUE(bomb);
  EXPECT_FALSE(unpack(*bomb));
}

}  // namespace
}  // namespace watchroom::agent
