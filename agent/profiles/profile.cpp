// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/profiles/profile.hpp"

#include <algorithm>
#include <set>

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

/// A device's points while they are being listed; of two with one name the first counts.
class PointLister {
 public:
  explicit PointLister(PointChoice choice) : choice_{choice} {}

  void add(const ProfilePoint& from, const std::string& name_text, PointSource source, std::string row = {},
           std::string called = {}) {
    auto name = PointName::parse(name_text);
    if (!name) return;  // an index that cannot be an instance; the profile itself was checked
    if (choice_ == PointChoice::essential && name->kind().weight == Weight::detail) return;
    if (!names_.insert(name_text).second) return;
    descriptions_.emplace_back(*std::move(name), from.traits, std::move(row));
    is_called_ |= !called.empty();
    called_.push_back(std::move(called));
    sources_.push_back(std::move(source));
  }
  DevicePoints done() && {
    if (!is_called_) called_.clear();
    return {std::move(descriptions_), std::move(sources_), std::move(called_)};
  }

  bool is_empty() const { return sources_.empty(); }

 private:
  PointChoice choice_;
  std::set<std::string> names_;
  std::vector<PointDescription> descriptions_;
  std::vector<PointSource> sources_;
  std::vector<std::string> called_;
  bool is_called_ = false;
};

}  // namespace

std::string ProfilePoint::name_of_row(const std::string& instance) const {
  std::string of_row = name;
  for (auto at = of_row.find("[*]"); at != std::string::npos; at = of_row.find("[*]"))
    of_row.replace(at + 1, 1, instance);
  return of_row;
}

bool Profile::has_writable() const {
  return std::ranges::any_of(points, [](const ProfilePoint& point) { return point.is_writable; });
}

DevicePoints points_of(const Profile& profile, const std::vector<FoundPoint>& found, PointChoice choice) {
  std::map<std::string_view, std::vector<const FoundPoint*>> by_key;
  for (const FoundPoint& one : found) by_key[one.profile_point].push_back(&one);
  const auto row_of = driver_named(profile.bus)->profiles.row;
  PointLister points{choice};
  for (const ProfilePoint& point : profile.points) {
    if (!point.must_be_discovered()) {
      points.add(point, point.name, point.source);
      continue;
    }
    const auto here = by_key.find(point.key);
    if (here == by_key.end()) continue;
    if (!point.is_table()) {
      points.add(point, point.name, point.source);
      continue;
    }
    for (const FoundPoint* one : here->second) {
      TableRow row = row_of(point.source.where, one->index);
      points.add(point, point.name_of_row(row.instance), {std::move(row.where), point.source.conversion},
                 row.instance, one->label);
    }
  }
  if (points.is_empty() && choice == PointChoice::essential)
    return points_of(profile, found, PointChoice::all);
  return std::move(points).done();
}

Profile combined(const Profile& first, const Profile& more) {
  Profile both = first;
  for (ProfilePoint point : more.points) {
    point.key = more.name + ":" + point.key;
    both.points.push_back(std::move(point));
  }
  if (const auto traits_of_both = driver_named(first.bus)->profiles.traits_of_both)
    both.traits = traits_of_both(first.traits, more.traits);
  both.name += "+" + more.name;
  if (both.protection.empty()) both.protection = more.protection;
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
