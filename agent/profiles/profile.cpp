// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/profiles/profile.hpp"

#include <algorithm>
#include <set>

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

std::string with_instance(std::string name, const std::string& instance) {
  for (auto at = name.find("[*]"); at != std::string::npos; at = name.find("[*]"))
    name.replace(at + 1, 1, instance);
  return name;
}

void add(DevicePoints& points, const ProfilePoint& from, const std::string& name_text, PointSource source) {
  auto name = PointName::parse(name_text);
  if (!name) return;  // an index that cannot be an instance; the profile itself was checked
  points.descriptions.push_back(
      {*std::move(name), source.conversion.unit, from.deadband, from.states, from.label});
  points.sources.push_back(std::move(source));
}

/// A row's label tells which row.
ProfilePoint labelled(ProfilePoint point, const std::string& instance) {
  if (point.label) {
    point.label->zh += " " + instance;
    point.label->en += " " + instance;
  }
  return point;
}

void drop_repeated_names(DevicePoints& points) {
  std::set<std::string> names;
  DevicePoints kept;
  for (std::size_t i = 0; i < points.descriptions.size(); ++i) {
    if (!names.insert(points.descriptions[i].name.str()).second) continue;
    kept.descriptions.push_back(std::move(points.descriptions[i]));
    kept.sources.push_back(std::move(points.sources[i]));
  }
  points = std::move(kept);
}

}  // namespace

DevicePoints points_of(const Profile& profile, const std::vector<FoundPoint>& found) {
  std::map<std::string_view, std::vector<const FoundPoint*>> by_key;
  for (const FoundPoint& one : found) by_key[one.profile_point].push_back(&one);
  const auto row_of = driver_named(profile.bus)->profiles.row;
  DevicePoints points;
  for (const ProfilePoint& point : profile.points) {
    if (!point.must_be_discovered()) {
      add(points, point, point.name, point.source);
      continue;
    }
    const auto here = by_key.find(point.key);
    if (here == by_key.end()) continue;
    if (!point.is_table()) {
      add(points, point, point.name, point.source);
      continue;
    }
    for (const FoundPoint* one : here->second) {
      TableRow row = row_of(point.source.where, one->index);
      add(points, labelled(point, row.instance), with_instance(point.name, row.instance),
          {std::move(row.where), point.source.conversion});
    }
  }
  drop_repeated_names(points);
  return points;
}

Profile combined(const Profile& first, const Profile& more) {
  Profile both = first;
  for (ProfilePoint point : more.points) {
    point.key = more.name + ":" + point.key;
    both.points.push_back(std::move(point));
  }
  both.name += "+" + more.name;
  return both;
}

std::vector<std::string> profile_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{folder, ignored})
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

std::filesystem::path installed_profiles_folder() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "share" / "watchroom" / "profiles";
}

}  // namespace watchroom::agent
