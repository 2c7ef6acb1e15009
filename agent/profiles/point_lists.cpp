// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/profiles/point_lists.hpp"

namespace watchroom::agent {

DevicePoints PointLists::of(const std::shared_ptr<const Profile>& profile,
                            const std::vector<FoundPoint>& found, PointChoice choice) {
  const std::lock_guard lock{mutex_};
  Key key{profile, choice, found};
  const auto known = made_.find(key);
  if (known != made_.end()) return known->second;
  return made_.emplace(std::move(key), points_of(*profile, found, choice)).first->second;
}

}  // namespace watchroom::agent
