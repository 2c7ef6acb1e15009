// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/profiles/point_lists.hpp"

#include <algorithm>

namespace watchroom::agent {

DevicePoints PointLists::of(const std::shared_ptr<const Profile>& profile,
                            const std::vector<FoundPoint>& found, PointChoice choice) {
  // Names that a device gives to its rows are its own; everything else is shared all the same.
  std::vector<FoundPoint> nameless = found;
  bool has_names = false;
  for (FoundPoint& point : nameless) {
    has_names |= !point.label.empty();
    point.label.clear();
  }
  DevicePoints points = shared(profile, std::move(nameless), choice);
  if (has_names) points.called = points_of(*profile, found, choice).called;
  return points;
}

DevicePoints PointLists::shared(const std::shared_ptr<const Profile>& profile, std::vector<FoundPoint> found,
                                PointChoice choice) {
  const std::lock_guard lock{mutex_};
  Key key{profile, choice, std::move(found)};
  const auto known = made_.find(key);
  if (known != made_.end()) return known->second;
  DevicePoints points = points_of(*profile, std::get<2>(key), choice);
  return made_.emplace(std::move(key), std::move(points)).first->second;
}

}  // namespace watchroom::agent
