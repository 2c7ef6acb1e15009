// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/drivers/driver.hpp"
#include "agent/profiles/profile.hpp"

namespace watchroom::agent {

/// For tests: a profile of `points`, which come without a profile's head.
inline std::shared_ptr<const Profile> tested_profile(const std::string& points) {
  Problems problems;
  auto profile = Profile::parse(
      "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"modbus\"\nsource = \"test\"\nconfidence = "
      "\"measured\"\n" +
          points,
      "test.toml", problems);
  EXPECT_TRUE(profile) << problems.str();
  return std::make_shared<const Profile>(*std::move(profile));
}

/// For tests: a unit as it stands in the settings.
inline ConfiguredDevice tested_unit(const std::string& url, int unit, std::shared_ptr<const Profile> profile,
                                    std::chrono::milliseconds timeout) {
  std::vector<AddressComplaint> complaints;
  ConfiguredDevice made;
  made.address = parse_address(url, AddressOrigin::settings, complaints).value();
  made.description.id = "unit" + std::to_string(unit);
  made.reply_timeout = timeout;
  DevicePoints points = points_of(*profile, {});
  made.description.points = std::move(points.descriptions);
  made.sources = std::move(points.sources);
  made.profile = std::move(profile);
  return made;
}

}  // namespace watchroom::agent
