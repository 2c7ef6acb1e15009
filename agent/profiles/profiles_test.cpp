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
#include "agent/drivers/modbus/register_image.hpp"
#include "agent/drivers/snmp/object_value.hpp"
#include "agent/drivers/snmp/table_reader.hpp"
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

/// The table a reply's function code reads.
RegisterTable table_of(std::uint8_t function) {
  switch (function) {
    case 1: return RegisterTable::coil;
    case 2: return RegisterTable::discrete;
    case 3: return RegisterTable::holding;
    default: return RegisterTable::input;
  }
}

std::uint16_t first_address(const Profile& profile, RegisterTable table) {
  std::uint16_t first = 65535;
  for (const ProfilePoint& point : profile.points)
    for (const RegisterSpan& span : spans_of(std::get<RegisterSource>(point.source.where)))
      if (span.table == table) first = std::min(first, span.address);
  return first;
}

RegisterImage image_of(const Profile& profile, const ProfileSample& sample, const std::string& where) {
  RegisterImage image;
  if (sample.reply.size() < 5) {
    ADD_FAILURE() << where << ": the reply is too short";
    return image;
  }
  const RegisterTable table = table_of(sample.reply[1]);
  ReadRequest request{table, sample.address.value_or(first_address(profile, table)), 0};
  const int bytes = sample.reply[2];
  request.count = static_cast<std::uint16_t>(is_bit_table(table) ? bytes * 8 : bytes / 2);
  auto reply = decode_read_reply(ModbusFraming::rtu, sample.reply[0], request, 0, sample.reply);
  if (!reply)
    ADD_FAILURE() << where << ": " << reply.error().text;
  else
    image.add(request, std::move(reply->words));
  return image;
}

Reading modbus_reading(const RegisterImage& image, const PointSource& source) {
  return image.read(std::get<RegisterSource>(source.where), source.conversion, Timestamp{});
}

using Objects = std::map<Oid, ObjectValue>;

Objects objects_of(const ProfileSample& sample) {
  Objects objects;
  for (const auto& [oid, text] : sample.varbinds) {
    std::int64_t integer = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    objects.emplace(parse_oid(oid).value(), is_number ? ObjectValue{integer} : ObjectValue{text});
  }
  return objects;
}

Reading snmp_reading(const ProfileSample& sample, const PointSource& source) {
  return to_reading(objects_of(sample), std::get<ObjectSource>(source.where), source.conversion, Timestamp{});
}

/// What discovery would have found in a device that answers with the sample.
std::vector<FoundPoint> found_in(const Profile& profile, const ProfileSample& sample) {
  const Objects objects = objects_of(sample);
  const auto column = [&](const Oid& root) -> Result<Objects> {
    Objects rows;
    for (const auto& [oid, value] : objects)
      if (oid.size() > root.size() && std::equal(root.begin(), root.end(), oid.begin()))
        rows.emplace(Oid{oid.begin() + static_cast<std::ptrdiff_t>(root.size()), oid.end()}, value);
    return rows;
  };
  TableReader tables{column};
  std::vector<FoundPoint> found;
  for (const ProfilePoint& point : profile.points) {
    if (!point.is_table()) {
      if (point.is_optional) found.push_back({point.key, {}});
      continue;
    }
    const auto rows = tables.rows_of(std::get<ObjectSource>(point.source.where));
    for (const Oid& index : *rows) found.push_back({point.key, index});
  }
  return found;
}

TEST_P(EachProfile, HasADriverASourceAndASample) {
  EXPECT_NE(driver_named(profile_->bus), nullptr);
  EXPECT_GT(profile_->source.size(), 10u);
  EXPECT_FALSE(profile_->samples.empty());
}

TEST_P(EachProfile, DecodesItsSamples) {
  for (const ProfileSample& sample : profile_->samples) {
    const DevicePoints points = points_of(*profile_, found_in(*profile_, sample));
    const RegisterImage image =
        profile_->bus == "modbus" ? image_of(*profile_, sample, where(sample)) : RegisterImage{};
    EXPECT_FALSE(sample.expect.empty()) << where(sample);
    for (const auto& [name, wanted] : sample.expect) {
      const auto point = std::find_if(
          points.descriptions.begin(), points.descriptions.end(),
          [&wanted_name = name](const PointDescription& one) { return one.name.str() == wanted_name; });
      ASSERT_NE(point, points.descriptions.end()) << where(sample) << ": no point " << name;
      const PointSource& source =
          points.sources[static_cast<std::size_t>(point - points.descriptions.begin())];
      expect_reading(wanted,
                     profile_->bus == "modbus" ? modbus_reading(image, source) : snmp_reading(sample, source),
                     where(sample) + ": " + name);
    }
  }
}

bool is_about_fire(std::string point) {
  for (auto at = point.find("[*]"); at != std::string::npos; at = point.find("[*]")) point[at + 1] = '1';
  const auto parsed = PointName::parse(point);
  return parsed && parsed->kind().is_fire_protection();
}

TEST_P(EachProfile, WritesNothingThatReleasesAgent) {
  const bool protects = std::ranges::any_of(
      profile_->points, [](const ProfilePoint& point) { return is_about_fire(point.name); });
  for (const ProfilePoint& point : profile_->points) {
    if (!point.is_writable()) continue;
    EXPECT_FALSE(protects) << point.name;
    EXPECT_TRUE(PointName::parse(point.name)->kind().may_be_set) << point.name;
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
