// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/whole_file.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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
  ASSERT_TRUE(write_whole(file, "one", Readers::owner));
  ASSERT_TRUE(write_whole(file, "two", Readers::owner));
  EXPECT_EQ(*read_whole(file, 10), "two");
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder_}, {}), 1);
}

TEST_F(WholeFile, WhatAPowerCutLeftIsNotInTheWayAndLendsNoReaders) {
  std::ofstream{folder_ / "state.new"} << "half";
  ASSERT_EQ(::chmod((folder_ / "state.new").c_str(), 0666), 0);
  ASSERT_TRUE(write_whole(folder_ / "state", "whole", Readers::owner));
  EXPECT_EQ(mode_of(folder_ / "state"), 0600u);
}

TEST_F(WholeFile, WhatCannotBeWrittenLeavesTheOldFile) {
  const auto file = folder_ / "state";
  ASSERT_TRUE(write_whole(file, "old", Readers::owner));
  std::filesystem::create_directory(folder_ / "state.new");  // nothing can be made under this name
  const auto written = write_whole(file, "new", Readers::owner);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().text.find("state.new"), std::string::npos);
  EXPECT_EQ(*read_whole(file, 10), "old");
}

TEST_F(WholeFile, WhatIsMissingOrTooLongIsSaid) {
  EXPECT_EQ(read_whole(folder_ / "none", 10).error().code, Errc::not_found);
  ASSERT_TRUE(write_whole(folder_ / "long", std::string(11, 'x'), Readers::everybody));
  EXPECT_EQ(read_whole(folder_ / "long", 10).error().code, Errc::full);
  EXPECT_EQ(mode_of(folder_ / "long"), 0644u);
}

}  // namespace
}  // namespace watchroom
