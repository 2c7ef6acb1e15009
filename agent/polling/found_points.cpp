// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/found_points.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

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

/// Adds what is new and renames what is called otherwise now; false: neither was needed.
bool take_in(std::vector<FoundPoint>& all, const std::vector<FoundPoint>& now) {
  std::map<std::pair<std::string, RowIndex>, std::size_t> places;
  for (std::size_t i = 0; i < all.size(); ++i)
    places.emplace(std::pair{all[i].profile_point, all[i].index}, i);
  bool is_changed = false;
  for (const FoundPoint& point : now) {
    const auto [place, is_new] = places.try_emplace(std::pair{point.profile_point, point.index}, all.size());
    if (is_new)
      all.push_back(point);
    else if (all[place->second].label == point.label || point.label.empty())
      continue;
    else
      all[place->second].label = point.label;
    is_changed = true;
  }
  return is_changed;
}

bool write(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path fresh = file.string() + ".new";
  std::ofstream out{fresh};
  out << text << '\n';
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(fresh, file, error);
  return out && !error;
}

}  // namespace

FoundPoints::FoundPoints(const std::filesystem::path& data_dir, Log log)
    : folder_{data_dir / "found_points"}, log_{std::move(log)} {
  std::error_code ignored;  // told when a file cannot be written
  std::filesystem::create_directories(folder_, ignored);
}

std::filesystem::path FoundPoints::file_of(const ConfiguredDevice& device) const {
  return folder_ / (device.description.id + ".json");
}

std::vector<FoundPoint> FoundPoints::of(const ConfiguredDevice& device) const {
  std::ifstream in{file_of(device)};
  const Json document = Json::parse(in, nullptr, false);
  try {
    if (document.is_object() && document.at("of").get<std::string>() == identity_of(device))
      return found_in(document);
  } catch (const Json::exception&) {
  }
  return {};
}

std::vector<FoundPoint> FoundPoints::add(const ConfiguredDevice& device,
                                         const std::vector<FoundPoint>& now) const {
  std::vector<FoundPoint> all = of(device);
  if (!take_in(all, now)) return all;
  std::stable_sort(all.begin(), all.end(),
                   [](const FoundPoint& a, const FoundPoint& b) { return a.index < b.index; });
  Json points = Json::array();
  for (const FoundPoint& point : all) points.push_back(json_of(point));
  const Json document{{"of", identity_of(device)}, {"points", std::move(points)}};
  if (!write(file_of(device), document.dump()))
    log_.warning("{} cannot be written: {} has to be asked for its points after each start",
                 file_of(device).string(), device.description.id);
  return all;
}

bool has_points_to_find(const Profile& profile) {
  return std::any_of(profile.points.begin(), profile.points.end(),
                     [](const ProfilePoint& point) { return point.must_be_discovered(); });
}

}  // namespace watchroom::agent
