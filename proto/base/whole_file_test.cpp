// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/whole_file.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/replace_file.hpp"

namespace watchroom {
namespace {

class WholeFile : public testing::Test {
 protected:
  WholeFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-whole-XXXXXX").string();
    EXPECT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
  }
  ~WholeFile() override { std::filesystem::remove_all(folder_); }

  mode_t mode_of(const std::filesystem::path& file) const {
    struct stat status {};
    EXPECT_EQ(::stat(file.c_str(), &status), 0);
    return status.st_mode & 0777;
  }

  std::filesystem::path folder_;
};

TEST_F(WholeFile, ReplacesWhatWasThereAndLeavesNothingBeside) {
  const auto file = folder_ / "state";
  ASSERT_TRUE(replace_file(file, "one"));
  ASSERT_TRUE(replace_file(file, "two"));
  EXPECT_EQ(*read_whole(file, 10), "two");
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder_}, {}), 1);
}

TEST_F(WholeFile, WhatCannotBeReplacedIsAsItWas) {
  const auto folder = folder_ / "state";
  std::filesystem::create_directories(folder / "inside");
  EXPECT_FALSE(replace_file(folder, "new"));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "inside"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder_}, {}), 1);
}

TEST_F(WholeFile, WhatIsMissingOrTooLongIsSaid) {
  EXPECT_EQ(read_whole(folder_ / "none", 10).error().code, Errc::not_found);
  ASSERT_TRUE(replace_file(folder_ / "long", std::string(11, 'x'), 0644));
  EXPECT_EQ(read_whole(folder_ / "long", 10).error().code, Errc::full);
  EXPECT_EQ(mode_of(folder_ / "long"), 0644u);
}

}  // namespace
}  // namespace watchroom
