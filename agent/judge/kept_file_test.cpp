// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/kept_file.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "agent/commands/scratch_folder.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

Instant at(std::chrono::milliseconds steady, std::chrono::milliseconds wall) {
  return {Steady{steady}, Timestamp{wall}};
}

class KeptFileTest : public testing::Test {
 protected:
  KeptByJudge inhibited(std::chrono::milliseconds lasting) const {
    return {Inhibition{"李工", "检修", Steady{1h + lasting}, Timestamp{500'000h + lasting}, lasting},
            {"leak", "smoke"},
            {{"valve", Drive::off}}};
  }
  void change(const std::string& what, const std::string& into) const {
    std::ifstream in{path};
    std::ostringstream text;
    text << in.rdbuf();
    std::string all = text.str();
    const auto found = all.find(what);
    ASSERT_NE(found, std::string::npos) << all;
    all.replace(found, what.size(), into);
    std::ofstream{path} << all;
  }

  ScratchFolder folder;
  std::filesystem::path path = folder.path() / "judge.json";
  KeptFile file{path};
};

TEST_F(KeptFileTest, GivesBackWhatItWasGiven) {
  EXPECT_EQ(file.read(at(1h, 500'000h)).error().code, Errc::not_found);
  ASSERT_TRUE(file.write(inhibited(2h)));
  // Within one boot the steady clock counts, wherever the other one has gone.
  const auto kept = file.read(at(1h + 30min, 700'000h));
  ASSERT_TRUE(kept) << kept.error().text;
  EXPECT_EQ(kept->latched, (std::vector<std::string>{"leak", "smoke"}));
  EXPECT_EQ(kept->put_back, (std::map<std::string, Drive>{{"valve", Drive::off}}));
  EXPECT_EQ(kept->inhibition->owner, "李工");
  EXPECT_EQ(kept->inhibition->reason, "检修");
  EXPECT_EQ(kept->inhibition->until, Steady{3h});
}

TEST_F(KeptFileTest, AfterABootItEndsByTheWallClockAndNeverLaterThanGranted) {
  ASSERT_TRUE(file.write(inhibited(2h)));
  std::ifstream boot{"/proc/sys/kernel/random/boot_id"};
  std::string id;
  std::getline(boot, id);
  change(id, "another boot");
  EXPECT_EQ(file.read(at(1min, 500'001h))->inhibition->until, Steady{1min + 1h});
  EXPECT_EQ(file.read(at(1min, 0h))->inhibition->until, Steady{1min + 2h}) << "a clock that begins in 1970";
  EXPECT_LT(file.read(at(1min, 500'003h))->inhibition->until, Steady{1min}) << "it is over";
}

TEST_F(KeptFileTest, ADamagedFileIsToldAndNothingIsMadeUp) {
  std::ofstream{path} << "{\"latched\": [1";
  EXPECT_EQ(file.read(at(1h, 1h)).error().code, Errc::corrupt);
}

TEST_F(KeptFileTest, AFolderThatIsGoneIsAnError) {
  EXPECT_EQ(KeptFile{folder.path() / "none" / "judge.json"}.write({}).error().code, Errc::io);
}

}  // namespace
}  // namespace watchroom::agent
