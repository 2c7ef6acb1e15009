// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/key_pair_files.hpp"

#include <fstream>

#include <sys/stat.h>

#include "proto/base/replace_file.hpp"
#include "proto/link/test_certificates.hpp"

namespace watchroom {
namespace {

class KeyPairFilesTest : public ::testing::Test {
 protected:
  KeyPairFilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-pair-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    files = {folder / "own.pem", folder / "own.key"};
    TestCertificates made{folder};
    made.make("old");
    made.make("new");
  }
  ~KeyPairFilesTest() override { std::filesystem::remove_all(folder); }

  std::string read(const std::string& name) const {
    std::ifstream in{folder / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void install(const std::string& name) {
    ASSERT_TRUE(replace_key_pair(files, read(name + ".pem"), read(name + ".key")));
  }

  std::filesystem::path folder;
  KeyPairFiles files;
};

TEST_F(KeyPairFilesTest, HoldThePairThatWasWritten) {
  EXPECT_FALSE(load_key_pair(files));
  install("old");
  ASSERT_TRUE(load_key_pair(files));
  EXPECT_EQ(load_key_pair(files)->certificate_pem, read("old.pem"));
  install("new");
  EXPECT_EQ(load_key_pair(files)->key_pem, read("new.key"));
  struct stat status {};
  ASSERT_EQ(::stat(files.key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(KeyPairFilesTest, APairThatDoesNotBelongTogetherIsNotWritten) {
  install("old");
  EXPECT_FALSE(replace_key_pair(files, read("new.pem"), read("old.key")));
  EXPECT_EQ(load_key_pair(files)->certificate_pem, read("old.pem"));
}

/// The states on disk between the steps of a replacement, one after the other.
TEST_F(KeyPairFilesTest, APowerCutAtAnyMomentLeavesAWholePair) {
  const std::string next = read("new.key") + read("new.pem");
  const auto begin = [&] { install("old"); };

  begin();  // the file of the new pair is still under another name
  std::ofstream{folder / "own.key.next.new-1"} << next.substr(0, next.size() / 2);
  ASSERT_TRUE(finish_replacement(files));
  EXPECT_EQ(load_key_pair(files)->certificate_pem, read("old.pem"));

  begin();  // it is there, neither file has been replaced
  ASSERT_TRUE(replace_file(folder / "own.key.next", next));
  ASSERT_TRUE(*finish_replacement(files));
  EXPECT_EQ(load_key_pair(files)->certificate_pem, read("new.pem"));

  begin();  // the key has been replaced, the certificate has not
  ASSERT_TRUE(replace_file(folder / "own.key.next", next));
  ASSERT_TRUE(replace_file(files.key, read("new.key")));
  EXPECT_FALSE(load_key_pair(files));
  ASSERT_TRUE(*finish_replacement(files));
  EXPECT_EQ(load_key_pair(files)->certificate_pem, read("new.pem"));

  begin();  // both have been
  ASSERT_TRUE(replace_file(folder / "own.key.next", next));
  ASSERT_TRUE(replace_file(files.key, read("new.key")));
  ASSERT_TRUE(replace_file(files.certificate, read("new.pem")));
  ASSERT_TRUE(*finish_replacement(files));
  EXPECT_EQ(load_key_pair(files)->certificate_pem, read("new.pem"));
  EXPECT_FALSE(*finish_replacement(files)) << "and then it is over";
}

TEST_F(KeyPairFilesTest, WhatIsNoPairIsThrownAway) {
  install("old");
  for (const std::string& rubbish : {std::string{}, std::string{"rubbish"}, read("new.pem"), read("new.key"),
                                     read("old.key") + read("new.pem")}) {
    ASSERT_TRUE(replace_file(folder / "own.key.next", rubbish));
    ASSERT_TRUE(*finish_replacement(files));
    EXPECT_EQ(load_key_pair(files)->certificate_pem, read("old.pem"));
  }
}

}  // namespace
}  // namespace watchroom
