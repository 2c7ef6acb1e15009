// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/first_administrator.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/users_file.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::aggregator {
namespace {

class FirstAdministrator : public ::testing::Test {
 protected:
  FirstAdministrator() {
    std::string name = ::testing::TempDir() + "first-XXXXXX";
    folder = ::mkdtemp(name.data());
    file = folder / "users.toml";
  }
  ~FirstAdministrator() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder, file;
};

TEST_F(FirstAdministrator, IsMadeOnceWithAPasswordThatOnlyTheOwnerCanRead) {
  const auto made = make_first_administrator(file);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_TRUE(*made);
  struct stat status {};
  ASSERT_EQ(::stat(first_password_file(file).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  Problems problems;
  const UsersFile content = UsersFile::load(file, problems);
  ASSERT_TRUE(problems.empty()) << problems.str();
  ASSERT_EQ(content.users.size(), 1u);
  EXPECT_EQ(content.users[0].name, "admin");
  EXPECT_EQ(content.users[0].role, Role::administrator);
  EXPECT_TRUE(content.users[0].must_change_password);
  const auto password = read_secret(first_password_file(file));
  ASSERT_TRUE(password);
  EXPECT_TRUE(verify_password(content.users[0].password, *password));

  EXPECT_FALSE(*make_first_administrator(file)) << "there is one now";
  forget_first_password(file);
  EXPECT_FALSE(std::filesystem::exists(first_password_file(file)));
}

TEST_F(FirstAdministrator, IsNotMadeWhereSomebodyHasAFileEvenAnEmptyOne) {
  ASSERT_TRUE(edit_users_file(file, [](UsersFile&) -> Result<void> { return {}; }));
  EXPECT_FALSE(*make_first_administrator(file));
  EXPECT_FALSE(std::filesystem::exists(first_password_file(file)));
}

TEST_F(FirstAdministrator, AFolderThatCannotBeWrittenIsToldAndLeavesNothing) {
  const auto made = make_first_administrator(folder / "missing" / "users.toml");
  EXPECT_FALSE(made);
}

}  // namespace
}  // namespace watchroom::aggregator
