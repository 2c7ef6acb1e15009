// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/start_check.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/link/test_certificates.hpp"

namespace watchroom {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

class StartCheckTest : public testing::Test {
 protected:
  StartCheckTest() {
    certificates_.make("room1", "", "900");
    certificates_.make("room2", "", "900");
    // A throw-away CA lasts two days: not what these tests are about.
    pair_.certificate = certificates_.file("room1.pem");
    pair_.key = certificates_.file("room1.key");
  }
  ~StartCheckTest() override { std::filesystem::remove_all(folder_); }

  static std::filesystem::path new_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-start-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  StartFindings found(std::chrono::hours later = {}) const {
    StartFindings findings;
    check_pair(pair_, SystemClock{}.now() + later, findings);
    return findings;
  }
  static StartFindings found_of(const std::filesystem::path& folder) {
    StartFindings findings;
    check_folder("data_dir", folder, true, findings);
    return findings;
  }
  static auto tells(bool is_fatal, const std::string& field, const std::string& zh, const std::string& en) {
    return Contains(AllOf(Field(&StartFinding::is_fatal, is_fatal), Field(&StartFinding::field, field),
                          Field(&StartFinding::text, AllOf(HasSubstr(zh), HasSubstr(" / "), HasSubstr(en)))));
  }

  const std::filesystem::path folder_ = new_folder();
  TestCertificates certificates_{folder_};
  CheckedPair pair_{.certificate_field = "broker.certificate_file",
                    .key_field = "broker.key_file",
                    .certificate = {},
                    .key = {},
                    .ca_field = "broker.ca_file"};
};

TEST_F(StartCheckTest, FindsNothingWhereNothingIsWrong) { EXPECT_THAT(found(), IsEmpty()); }

TEST_F(StartCheckTest, AFileThatIsNotThereKeepsTheProgramFromStartingOnlyIfItIsNeeded) {
  pair_.key = folder_ / "gone.key";
  EXPECT_THAT(found(), tells(true, "broker.key_file", "不存在", "gone.key\" does not exist, expected a PEM"));
  pair_.is_needed = false;
  EXPECT_THAT(found(), tells(false, "broker.key_file", "不存在", "does not exist"));
}

TEST_F(StartCheckTest, AKeyOfAnotherCertificateIsFatal) {
  pair_.key = certificates_.file("room2.key");
  EXPECT_THAT(found(), tells(true, "broker.key_file", "不匹配", "room2.key\" does not belong to"));
}

TEST_F(StartCheckTest, FilesWithSomethingElseInThemAreFatal) {
  std::swap(pair_.certificate, pair_.key);
  EXPECT_THAT(found(), tells(true, "broker.certificate_file", "没有证书", "holds no certificate"));
  EXPECT_THAT(found(), tells(true, "broker.key_file", "没有私钥", "holds no private key"));
}

TEST_F(StartCheckTest, AKeyThatOthersMayReadIsToldWithItsMode) {
  ASSERT_EQ(::chmod(pair_.key.c_str(), 0644), 0);
  EXPECT_THAT(found(), tells(false, "broker.key_file", "0644", "has mode 0644, expected 0600"));
  ASSERT_EQ(::chmod(pair_.key.c_str(), 0640), 0);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(StartCheckTest, ACertificateIsToldThirtyDaysBeforeItsEndAndAfterIt) {
  constexpr std::chrono::hours day{24};
  EXPECT_THAT(found(869 * day), IsEmpty());
  EXPECT_THAT(found(871 * day),
              tells(false, "broker.certificate_file", "不足 29 天", "in less than 29 days"));
  EXPECT_THAT(found(901 * day), tells(false, "broker.certificate_file", "过期", "has run out on"));
  EXPECT_THAT(found(-2 * day), tells(false, "broker.certificate_file", "才生效", "is not valid before"));
}

TEST_F(StartCheckTest, AShortCertificateThatRenewsItselfIsToldOnlyWhenThatIsOverdue) {
  certificates_.make("short", "", "9");
  pair_.certificate = certificates_.file("short.pem");
  pair_.key = certificates_.file("short.key");
  EXPECT_THAT(found(), tells(false, "broker.certificate_file", "不足 9 天", "in less than 9 days"));
  pair_.renews_itself = true;
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_THAT(found(std::chrono::hours{24 * 7}), tells(false, "broker.certificate_file", "过期", "runs out"));
}

TEST_F(StartCheckTest, AnAuthorityThatDidNotSignTheCertificateIsTold) {
  const auto other = folder_ / "other";
  std::filesystem::create_directory(other);
  const TestCertificates stranger{other};
  const auto unsigned_by =
      tells(false, "broker.certificate_file", "不是", "was not signed by the authority in");
  pair_.ca = certificates_.file("ca.pem");
  EXPECT_THAT(found(), testing::Not(unsigned_by));
  EXPECT_THAT(found(), tells(false, "broker.ca_file", "过期", "runs out on"));
  pair_.ca = stranger.file("ca.pem");
  EXPECT_THAT(found(), unsigned_by);
}

TEST_F(StartCheckTest, AFolderThatCanBeMadeIsFineAndIsNotMade) {
  EXPECT_THAT(found_of(folder_), IsEmpty());
  EXPECT_THAT(found_of(folder_ / "to" / "be" / "made"), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "to"));
}

TEST_F(StartCheckTest, AFileInTheWayOfTheFolderIsFatal) {
  std::ofstream{folder_ / "data"} << "x";
  EXPECT_THAT(found_of(folder_ / "data" / "agent"), tells(true, "data_dir", "不是文件夹", "is no folder"));
}

TEST_F(StartCheckTest, AFolderThatThisUserCannotWriteToIsFatal) {
  const auto data = folder_ / "data";
  std::filesystem::create_directory(data);
  std::ofstream{data / "journal.sqlite"} << "x";
  ASSERT_EQ(::chmod((data / "journal.sqlite").c_str(), 0400), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  const auto as_somebody = [&](mode_t mode) {
    EXPECT_EQ(::chmod(data.c_str(), mode), 0);
    // The superuser may write anywhere.
    const bool is_root = ::geteuid() == 0;
    constexpr uid_t nobody = 65'534;
    EXPECT_EQ(is_root ? ::seteuid(nobody) : 0, 0);
    StartFindings findings = found_of(data);
    EXPECT_EQ(is_root ? ::seteuid(0) : 0, 0);
    return findings;
  };
  EXPECT_THAT(as_somebody(0777), tells(true, "data_dir", "无法写入", "journal.sqlite\", expected it"));
  EXPECT_THAT(as_somebody(0555), tells(true, "data_dir", "无法写入", "this user cannot write to"));
  ASSERT_EQ(::chmod(data.c_str(), 0755), 0);
}

}  // namespace
}  // namespace watchroom
