// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/users.hpp"

#include <barrier>
#include <chrono>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"
#include "proto/base/replace_file.hpp"

namespace watchroom::aggregator {
namespace {

class UsersTest : public ::testing::Test {
 protected:
  UsersTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-users-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    file = folder_ / "users.toml";
  }
  ~UsersTest() override { std::filesystem::remove_all(folder_); }

  static std::string hash(std::string_view password, std::uint32_t memory_kib = 64) {
    return *hash_password(password, {.memory_kib = memory_kib, .passes = 1, .lanes = 1});
  }
  void write(const UsersFile& content) const { ASSERT_TRUE(replace_file(file, content.to_toml())); }
  std::string problems_of(std::string_view text) const {
    Problems problems;
    if (const auto table = SettingsTable::parse(text, "users.toml", problems)) UsersFile::read(*table);
    return problems.str();
  }

  std::filesystem::path folder_;
  std::filesystem::path file;
};

TEST_F(UsersTest, AFileReadsBackAsItWasWritten) {
  const std::string token_hash = sha256_hex("wr_x");
  const UsersFile content{{{"li \"wei\" \\ 张", Role::shift_lead, hash("correct horse battery")}},
                          {{"night watch", "li \"wei\" \\ 张", token_hash}}};
  write(content);
  Problems problems;
  EXPECT_EQ(UsersFile::load(file, problems), content);
  EXPECT_TRUE(problems.empty()) << problems.str();
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(UsersTest, EverythingWrongIsToldAtOnceWithItsLine) {
  EXPECT_EQ(
      problems_of("[[user]]\nname = \" li\"\nrole = \"boss\"\npassword = \"secret\"\n"
                  "[[token]]\nname = \"t\"\nuser = \"wu\"\nsha256 = \"00\"\nxyzzy = 1\n"),
      "users.toml:2: user[0].name: \" li\" is not valid, expected 1 to 64 bytes without control characters "
      "and without blanks at the ends\n"
      "users.toml:3: user[0].role: \"boss\" is not valid, expected one of \"viewer\" \"operator\" "
      "\"shift_lead\" \"administrator\" \"auditor\"\n"
      "users.toml:4: user[0].password: is not an argon2id hash, expected what `watchroom user password` "
      "writes\n"
      "users.toml:7: token[0].user: \"wu\" is not valid, expected the name of a [[user]] in this file\n"
      "users.toml:8: token[0].sha256: \"00\" is not valid, expected 64 lower-case hex digits\n"
      "users.toml:9: token[0].xyzzy: unknown key\n");
}

TEST_F(UsersTest, AProblemNeverShowsAPasswordThatSomebodyTypedInByHand) {
  EXPECT_EQ(problems_of("[[user]]\nname = \"li\"\nrole = \"viewer\"\npassword = \"hunter2hunter2\"\n")
                .find("hunter2"),
            std::string::npos);
}

TEST_F(UsersTest, AFileThatEverybodyMayReadIsRefused) {
  write({});
  std::filesystem::permissions(file, std::filesystem::perms{0644});
  Problems problems;
  UsersFile::load(file, problems);
  EXPECT_NE(problems.str().find("everybody can read the password hashes"), std::string::npos);
}

TEST_F(UsersTest, EditingNeedsNoFileAndLosesNothingWhenItFails) {
  ASSERT_TRUE(edit_users_file(file, [](UsersFile& content) -> Result<void> {
    content.users.push_back({"li", Role::viewer, hash("correct horse battery")});
    return {};
  }));
  EXPECT_FALSE(edit_users_file(file, [](UsersFile& content) -> Result<void> {
    content.users.clear();
    return fail(Errc::invalid, Retry::never, "changed my mind");
  }));
  Problems problems;
  EXPECT_EQ(UsersFile::load(file, problems).users.size(), 1u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder_}, {}), 1)
      << "nothing is left lying about";
}

TEST_F(UsersTest, EditingLeavesTheLastAdministratorOfTheWholeHouse) {
  write({{{"li", Role::administrator, hash("x")}, {"wu", Role::viewer, hash("x")}}, {}});
  const auto change = [&](const std::function<void(UsersFile&)>& how) {
    return edit_users_file(file,
                           [&](UsersFile& content) -> Result<void> { return how(content), Result<void>{}; });
  };
  const auto demoted = change([](UsersFile& content) { content.users[0].role = Role::operator_; });
  ASSERT_FALSE(demoted);
  EXPECT_EQ(demoted.error().code, Errc::conflict);
  EXPECT_FALSE(change([](UsersFile& content) { content.users[0].domains = {"site:hq"}; }));
  EXPECT_FALSE(change([](UsersFile& content) { content.users.erase(content.users.begin()); }));
  EXPECT_TRUE(change([](UsersFile& content) { content.users[1].role = Role::administrator; }));
  EXPECT_TRUE(change([](UsersFile& content) { content.users.erase(content.users.begin()); }));
}

TEST_F(UsersTest, AFileThatIsWrongIsNotOverwritten) {
  ASSERT_TRUE(replace_file(file, "[[user]]\n"));
  EXPECT_FALSE(edit_users_file(file, [](UsersFile&) -> Result<void> { return {}; }));
  std::ifstream in{file};
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "[[user]]");
}

TEST_F(UsersTest, PasswordAndTokenProveTheSamePerson) {
  write({{{"li", Role::operator_, hash("correct horse battery")}}, {{"script", "li", sha256_hex("wr_abc")}}});
  Users users{file, Log::quiet()};
  Problems problems;
  users.load(problems);
  ASSERT_TRUE(users.with_password("li", "correct horse battery"));
  EXPECT_EQ(users.with_password("li", "correct horse battery")->role, Role::operator_);
  EXPECT_EQ(users.with_token(sha256_hex("wr_abc"), from_ms(0))->name, "li");
  EXPECT_FALSE(users.with_password("li", "wrong"));
  EXPECT_FALSE(users.with_password("wu", "correct horse battery"))
      << "somebody else's password is no password";
  EXPECT_FALSE(users.with_token(sha256_hex("wr_abd"), from_ms(0)));
}

TEST_F(UsersTest, AnUnknownNameTakesAsLongAsAWrongPassword) {
  write({{{"li", Role::operator_, hash("correct horse battery", 32 * 1024)}}, {}});
  Users users{file, Log::quiet()};
  Problems problems;
  users.load(problems);
  const auto time_of = [&](std::string_view name) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const auto before = std::chrono::steady_clock::now();
      EXPECT_FALSE(users.with_password(name, "wrong wrong wrong"));
      best = std::min(best, std::chrono::steady_clock::now() - before);
    }
    return best;
  };
  const auto known = time_of("li"), unknown = time_of("nobody");
  // Without the stand-in the ratio is in the thousands; the best of five stands a busy machine.
  EXPECT_LT(known, 4 * unknown);
  EXPECT_LT(unknown, 4 * known);
}

TEST_F(UsersTest, AChangedFileIsNoticedAndABrokenOneIsNot) {
  write({{{"li", Role::operator_, hash("correct horse battery")}}, {}});
  Users users{file, Log::quiet()};
  Problems problems;
  users.load(problems);
  EXPECT_FALSE(users.reread_if_changed());
  write({{{"li", Role::auditor, hash("correct horse battery")}}, {}});
  EXPECT_TRUE(users.reread_if_changed());
  EXPECT_EQ(users.named("li")->role, Role::auditor);
  ASSERT_TRUE(replace_file(file, "[[user]]\nname = 7\n"));
  EXPECT_FALSE(users.reread_if_changed());
  EXPECT_EQ(users.named("li")->role, Role::auditor);
  std::filesystem::remove(file);
  EXPECT_FALSE(users.reread_if_changed());
  EXPECT_EQ(users.size(), 1u);
}

TEST_F(UsersTest, WhoeverAsksWhileTheFileIsReadSeesWhatItSaysNow) {
  write({{{"li", Role::operator_, hash("correct horse battery")}}, {}});
  Users users{file, Log::quiet()};
  Problems problems;
  users.load(problems);
  for (int i = 0; i < 50; ++i) {
    UsersFile grown;
    for (int n = 0; n <= i; ++n) grown.users.push_back({fmt::format("user{}", n), Role::viewer, hash("x")});
    write(grown);
    std::barrier start{2};
    bool both_see_it[2] = {false, false};
    const auto look = [&](bool& sees_it) {
      start.arrive_and_wait();
      users.reread_if_changed();
      sees_it = users.named(fmt::format("user{}", i)).has_value();
    };
    std::thread other{[&] { look(both_see_it[0]); }};
    look(both_see_it[1]);
    other.join();
    EXPECT_TRUE(both_see_it[0] && both_see_it[1]) << i;
  }
}

TEST(UsersFile, KeepsDomainsCodesAndLimitsOfTokens) {
  UsersFile file;
  file.users.push_back(
      {"li", Role::operator_, "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQwMDE$cnVubm5pbmdvdXRvZmhhc2g"});
  file.users[0].domains = {"region:华北", "room:hq/room1"};
  file.users[0].must_change_password = true;
  file.users[0].totp = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  file.tokens.push_back({"grafana", "li", std::string(64, 'a')});
  file.tokens[0].role = Role::viewer;
  file.tokens[0].actions = {Action::view, Action::view_audit};
  file.tokens[0].domains = {"site:hq"};
  file.tokens[0].expires = from_ms(1'800'000'000'000);
  Problems problems;
  const UsersFile read = UsersFile::read(*SettingsTable::parse(file.to_toml(), "users.toml", problems));
  EXPECT_TRUE(problems.empty()) << problems.str();
  EXPECT_EQ(read, file);
}

TEST(UsersFile, SaysWhatIsWrongWithDomainsCodesAndLimits) {
  const std::string text = R"(
[[user]]
name = "li"
role = "viewer"
password = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQwMDE$cnVubm5pbmdvdXRvZmhhc2g"
domains = ["hq"]
totp = "JBSWY3DPsecret"
[[token]]
name = "t"
user = "li"
sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
actions = ["fly"]
domains = []
expires = "tomorrow"
)";
  Problems problems;
  (void)UsersFile::read(*SettingsTable::parse(text, "users.toml", problems));
  const std::string told = problems.str();
  for (const auto* words : {"users.toml:6: user[0].domains", "room:SITE/AGENT", "users.toml:7: user[0].totp",
                            "token[0].actions", "set_class", "token[0].domains", "token[0].expires"})
    EXPECT_NE(told.find(words), std::string::npos) << words << "\n" << told;
  EXPECT_EQ(told.find("JBSWY3DPsecret"), std::string::npos) << "no secret in a message";
}

}  // namespace
}  // namespace watchroom::aggregator
