// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/identity_files.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

class IdentityFilesTest : public ::testing::Test {
 protected:
  IdentityFilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-identity-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~IdentityFilesTest() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
};

TEST_F(IdentityFilesTest, AreReadFromAgentTomlBeforeTheyExist) {
  std::ofstream{folder / "agent.toml"}
      << "site = \"hq\"\nagent = \"room1\"\nwrong = 1\n[broker]\nhost = \"x\"\n"
         "ca_file = \"tls/ca.pem\"\ncertificate_file = \"tls/own.pem\"\n"
         "key_file = \"tls/own.key\"\n";
  Problems problems;
  const auto read_files = IdentityFiles::read(folder / "agent.toml", problems);
  ASSERT_TRUE(read_files) << problems.str();
  EXPECT_EQ(read_files->certificate, folder / "tls/own.pem");
  EXPECT_EQ(read_files->agent, "room1");
  std::ofstream{folder / "agent.toml"} << "site = \"hq\"\n";
  EXPECT_FALSE(IdentityFiles::read(folder / "agent.toml", problems));
  EXPECT_NE(problems.str().find("broker.ca_file"), std::string::npos) << problems.str();
}

}  // namespace
}  // namespace watchroom::agent
