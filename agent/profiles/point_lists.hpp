// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "agent/profiles/profile.hpp"

namespace watchroom::agent {

/// Gives devices of one profile in which the same was found the same lists: thousands of equal devices hold
/// theirs once. Thread-safe. What it has made it keeps.
class PointLists {
 public:
  DevicePoints of(const std::shared_ptr<const Profile>& profile, const std::vector<FoundPoint>& found,
                  PointChoice choice);

 private:
  DevicePoints shared(const std::shared_ptr<const Profile>& profile, std::vector<FoundPoint> found,
                      PointChoice choice);

  using Key = std::tuple<std::shared_ptr<const Profile>, PointChoice, std::vector<FoundPoint>>;
  std::mutex mutex_;
  std::map<Key, DevicePoints> made_;
};

}  // namespace watchroom::agent
