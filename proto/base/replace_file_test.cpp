// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/replace_file.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace watchroom {
namespace {

using namespace std::chrono_literals;

TEST(FolderLock, WhoKeepsItForEverHoldsNobodyUpForEver) {
  std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-lock-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  {
    const auto held = FolderLock::take(folder);
    ASSERT_TRUE(held) << held.error().text;
    const auto refused = FolderLock::take(folder, 30ms);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io);
    EXPECT_NE(refused.error().text.find(folder.string()), std::string::npos) << refused.error().text;
  }
  EXPECT_TRUE(FolderLock::take(folder, 0ms)) << "and it is free with the one who held it";
  std::filesystem::remove(folder);
}

}  // namespace
}  // namespace watchroom
