// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Every profile in the folder must load, and every sample in it must decode to what it promises. A new
// profile needs no new test.
#include <algorithm>
#include <charconv>
#include <fstream>

#include <gtest/gtest.h>

#include "agent/drivers/driver.hpp"
#include "agent/profiles/profile.hpp"

namespace watchroom::agent {
namespace {

std::filesystem::path folder() { return std::filesystem::path{WATCHROOM_SOURCE_DIR} / "agent" / "profiles"; }

class EachProfile : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    Problems problems;
    profile_ = Profile::load(folder() / (GetParam() + ".toml"), problems);
    ASSERT_TRUE(profile_) << problems.str();
  }
  std::string where(const ProfileSample& sample) const {
    return profile_->name + ".toml:" + std::to_string(sample.line);
  }
  std::optional<Profile> profile_;
};

void expect_reading(const std::string& wanted, const Reading& reading, const std::string& where) {
  if (wanted == "bad") {
    EXPECT_EQ(reading.quality, Quality::bad) << where;
    return;
  }
  ASSERT_EQ(reading.quality, Quality::good) << where;
  double number = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (error == std::errc{} && end == wanted.data() + wanted.size())
    EXPECT_NEAR(number_of(*reading.value).value_or(NAN), number, 1e-6 * std::abs(number)) << where;
  else
    EXPECT_EQ(to_text(*reading.value), wanted) << where;
}

TEST_P(EachProfile, HasADriverASourceAndASample) {
  EXPECT_NE(driver_named(profile_->bus), nullptr);
  EXPECT_GT(profile_->source.size(), 10u);
  EXPECT_FALSE(profile_->samples.empty());
}

TEST_P(EachProfile, DecodesItsSamples) {
  const ProfileGrammar& grammar = driver_named(profile_->bus)->profiles;
  for (const ProfileSample& sample : profile_->samples) {
    const auto played = grammar.play(*profile_, sample.answer);
    ASSERT_TRUE(played) << where(sample) << ": " << played.error().text;
    EXPECT_FALSE(sample.expect.empty()) << where(sample);
    for (const auto& [name, wanted] : sample.expect) {
      const auto reading = std::ranges::find(*played, name, &NamedReadings::value_type::first);
      ASSERT_NE(reading, played->end()) << where(sample) << ": no point " << name;
      expect_reading(wanted, reading->second, where(sample) + ": " + name);
    }
  }
}

/// Of a point, or of the points that a table's rows give. A profile with a wrong name was not loaded.
const PointKind& kind_of(std::string point) {
  for (auto at = point.find("[*]"); at != std::string::npos; at = point.find("[*]")) point[at + 1] = '1';
  return (*PointName::parse(point)).kind();
}

bool is_about_fire(const std::string& point) { return kind_of(point).is_fire_protection(); }

TEST_P(EachProfile, WritesNothingThatReleasesAgent) {
  const bool protects = std::ranges::any_of(
      profile_->points, [](const ProfilePoint& point) { return is_about_fire(point.name); });
  for (const ProfilePoint& point : profile_->points) {
    if (!point.is_writable) continue;
    EXPECT_FALSE(protects) << point.name;
    EXPECT_TRUE(kind_of(point.name).may_be_set) << point.name;
  }
}

/// The shipped profile as somebody might spoil it: each of its points of fire protection declared writable.
TEST_P(EachProfile, IsRefusedWhenItsFireProtectionIsDeclaredWritable) {
  const auto file = folder() / (GetParam() + ".toml");
  std::ifstream stream{file};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  for (const ProfilePoint& point : profile_->points) {
    if (!is_about_fire(point.name)) continue;
    const std::string line = "name = \"" + point.name + "\"\n";
    std::string spoilt = text;
    const auto at = spoilt.find(line);
    ASSERT_NE(at, std::string::npos) << point.name;
    spoilt.insert(at, "writable = true\n");
    Problems problems;
    EXPECT_FALSE(Profile::parse(spoilt, file.string(), problems)) << point.name;
    EXPECT_NE(problems.str().find("never releases extinguishing agent"), std::string::npos) << problems.str();
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, EachProfile, testing::ValuesIn(profile_names(folder())),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace watchroom::agent
