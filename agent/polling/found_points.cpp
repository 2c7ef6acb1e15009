// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/found_points.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "proto/base/replace_file.hpp"

namespace watchroom::agent {
namespace {

using Json = nlohmann::json;

/// What was found in a device counts only as long as it is the same device.
std::string identity_of(const ConfiguredDevice& device) {
  return device.description.profile + " " + device.address.text;
}

std::vector<FoundPoint> found_in(const Json& document) {
  std::vector<FoundPoint> found;
  for (const Json& point : document.at("points")) {
    RowIndex index;
    for (const Json& arc : point.at("index")) index.push_back(arc.get<std::uint32_t>());
    found.push_back(
        {point.at("point").get<std::string>(), std::move(index), point.value("label", std::string{})});
  }
  return found;
}

Json json_of(const FoundPoint& point) {
  Json json{{"point", point.profile_point}, {"index", point.index}};
  if (!point.label.empty()) json["label"] = point.label;
  return json;
}

constexpr auto forgotten_after = std::chrono::hours{24};
// A switch of 500 ports has 6000; a device that goes on has something that grows without end.
constexpr std::size_t most_points = 10'000;

/// Adds what is new, as far as there is room, and renames what is called otherwise now.
struct TakenIn {
  bool is_changed = false;
  std::size_t left_out = 0;
};
TakenIn take_in(std::vector<FoundPoint>& all, const std::vector<FoundPoint>& now) {
  std::map<std::pair<std::string, RowIndex>, std::size_t> places;
  for (std::size_t i = 0; i < all.size(); ++i)
    places.emplace(std::pair{all[i].profile_point, all[i].index}, i);
  TakenIn taken;
  for (const FoundPoint& point : now) {
    const std::pair row{point.profile_point, point.index};
    if (all.size() >= most_points && !places.contains(row)) {
      ++taken.left_out;
      continue;
    }
    const auto [place, is_new] = places.try_emplace(row, all.size());
    if (is_new)
      all.push_back(point);
    else if (all[place->second].label == point.label || point.label.empty())
      continue;
    else
      all[place->second].label = point.label;
    taken.is_changed = true;
  }
  return taken;
}

/// True when everything is on the disk before the old file is gone.
std::set<std::string> those_that_come_and_go(const Profile& profile) {
  std::set<std::string> keys;
  for (const ProfilePoint& point : profile.points)
    if (point.comes_and_goes) keys.insert(point.key);
  return keys;
}

/// Without its label, which may change.
FoundPoint row_of(const FoundPoint& point) { return {point.profile_point, point.index}; }

}  // namespace

FoundPoints::FoundPoints(const std::filesystem::path& data_dir, Log log)
    : folder_{data_dir / "found_points"}, log_{std::move(log)} {
  std::error_code ignored;  // told when a file cannot be written
  std::filesystem::create_directories(folder_, ignored);
}

std::filesystem::path FoundPoints::file_of(const ConfiguredDevice& device) const {
  return folder_ / (device.description.id + ".json");
}

FoundPoints::Points FoundPoints::read(const ConfiguredDevice& device, const std::string& identity) const {
  std::ifstream in{file_of(device)};
  const Json document = Json::parse(in, nullptr, false);
  try {
    if (document.is_object() && document.at("of").get<std::string>() == identity) return found_in(document);
  } catch (const Json::exception&) {
  }
  return {};
}

void FoundPoints::write(const ConfiguredDevice& device, const Points& points) const {
  Json list = Json::array();
  for (const FoundPoint& point : points) list.push_back(json_of(point));
  const Json document{{"of", identity_of(device)}, {"points", std::move(list)}};
  if (const auto kept = replace_file(file_of(device), document.dump() + "\n", 0644); !kept)
    log_.warning("{}: {} has to be asked for its points after each start", kept.error().text,
                 device.description.id);
}

FoundPoints::Known& FoundPoints::known(const ConfiguredDevice& device) {
  const auto [place, is_new] = known_.try_emplace(device.description.id);
  Known& known = place->second;
  const std::string identity = identity_of(device);
  if (is_new || known.identity != identity) known = {identity, shared(read(device, identity))};
  return known;
}

std::shared_ptr<const FoundPoints::Points> FoundPoints::shared(Points points) {
  auto& same = shared_[points];
  if (auto list = same.lock()) return list;
  auto list = std::make_shared<const Points>(std::move(points));
  same = list;
  std::erase_if(shared_, [](const auto& one) { return one.second.expired(); });
  return list;
}

std::vector<FoundPoint> FoundPoints::of(const ConfiguredDevice& device) {
  const std::lock_guard lock{mutex_};
  return *known(device).points;
}

std::vector<FoundPoint> FoundPoints::add(const ConfiguredDevice& device, const std::vector<FoundPoint>& now,
                                         Steady at) {
  Points all;
  {
    const std::lock_guard lock{mutex_};
    Known& before = known(device);
    all = *before.points;
    const bool is_less = forget_long_gone(device, before, all, now, at);
    const TakenIn taken = take_in(all, now);
    if (taken.left_out > 0 && std::exchange(before.left_out, taken.left_out) == 0)
      log_.error(
          "{}: has more than {} points, {} are left out; a profile with fewer points or tables is needed",
          device.description.id, most_points, taken.left_out);
    before.left_out = taken.left_out;
    if (!taken.is_changed && !is_less) return all;
    std::stable_sort(all.begin(), all.end(),
                     [](const FoundPoint& a, const FoundPoint& b) { return a.index < b.index; });
    before.points = shared(all);
  }
  write(device, all);
  return all;
}

/// True when there were any.
bool FoundPoints::forget_long_gone(const ConfiguredDevice& device, Known& known, Points& all,
                                   const Points& now, Steady at) const {
  const auto keys = those_that_come_and_go(*device.profile);
  if (keys.empty()) return false;
  std::set<FoundPoint> present;
  for (const FoundPoint& point : now) present.insert(row_of(point));
  const std::size_t before = all.size();
  std::map<FoundPoint, Steady> gone;
  std::erase_if(all, [&](const FoundPoint& point) {
    const FoundPoint row = row_of(point);
    if (!keys.contains(point.profile_point) || present.contains(row)) return false;
    const auto since = known.gone.find(row);
    const Steady gone_since = since == known.gone.end() ? at : since->second;
    if (at - gone_since >= forgotten_after) return true;
    gone.emplace(row, gone_since);
    return false;
  });
  known.gone = std::move(gone);
  if (all.size() < before)
    log_.info("{}: {} rows that come and go are gone for a day and forgotten", device.description.id,
              before - all.size());
  return all.size() < before;
}

bool has_points_to_find(const Profile& profile) {
  return std::any_of(profile.points.begin(), profile.points.end(),
                     [](const ProfilePoint& point) { return point.must_be_discovered(); });
}

}  // namespace watchroom::agent
