// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/discovery.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include <nlohmann/json.hpp>

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

using Found = std::vector<FoundPoint>;
using FoundByDevice = std::map<std::string, Found>;
using Json = nlohmann::json;

bool has_points_to_discover(const ConfiguredDevice& device) {
  for (const ProfilePoint& point : device.profile->points)
    if (point.must_be_discovered()) return true;
  return false;
}

/// What was found in a device counts only as long as it is the same device.
std::string identity_of(const ConfiguredDevice& device) {
  return device.description.profile + " " + device.address.text;
}

Found found_in(const Json& entry) {
  Found found;
  for (const Json& point : entry.at("points")) {
    Oid index;
    for (const Json& arc : point.at("index")) index.push_back(arc.get<std::uint32_t>());
    found.push_back({point.at("point").get<std::string>(), std::move(index)});
  }
  return found;
}

/// A file that is missing or damaged is no more than a device not yet met.
FoundByDevice remembered(const std::filesystem::path& file, const std::vector<ConfiguredDevice>& devices) {
  FoundByDevice all;
  std::ifstream in{file};
  const Json document = Json::parse(in, nullptr, false);
  if (!document.is_object()) return all;
  for (const ConfiguredDevice& device : devices) {
    try {
      const auto entry = document.find(device.description.id);
      if (entry != document.end() && entry->at("of").get<std::string>() == identity_of(device))
        all.emplace(device.description.id, found_in(*entry));
    } catch (const Json::exception&) {
      continue;
    }
  }
  return all;
}

void remember(const std::filesystem::path& file, const std::vector<ConfiguredDevice>& devices,
              const FoundByDevice& all, const Log& log) {
  Json document = Json::object();
  for (const ConfiguredDevice& device : devices) {
    const auto found = all.find(device.description.id);
    if (found == all.end()) continue;
    Json points = Json::array();
    for (const FoundPoint& point : found->second)
      points.push_back({{"point", point.profile_point}, {"index", point.index}});
    document[device.description.id] = {{"of", identity_of(device)}, {"points", std::move(points)}};
  }
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  const std::filesystem::path written = file.string() + ".new";
  std::ofstream out{written};
  out << document.dump(1) << '\n';
  out.close();
  if (out) std::filesystem::rename(written, file, error);
  if (!out || error) log.warning("{} cannot be written", file.string());
}

/// What a device had before it still has, as far as we are concerned: a row that vanished is a sensor lost,
/// which somebody must be told, and a card that is starting up shows only some of its rows.
Found united(Found before, const Found& now) {
  for (const FoundPoint& point : now)
    if (std::find(before.begin(), before.end(), point) == before.end()) before.push_back(point);
  std::sort(before.begin(), before.end(),
            [](const FoundPoint& a, const FoundPoint& b) { return a.index < b.index; });
  return before;
}

/// Asks the devices of one bus; each answer goes into `all` under `mutex`.
void ask_bus(Bus& bus, const std::vector<ConfiguredDevice>& devices, std::mutex& mutex, FoundByDevice& all,
             const Log& log) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const std::string& id = devices[i].description.id;
    auto found = bus.discover(i);
    const std::lock_guard lock{mutex};
    if (found)
      all[id] = united(std::move(all[id]), *found);
    else
      log.warning("{}: {}; {}", id, found.error().text,
                  all.contains(id) ? "its rows are those it had before"
                                   : "its tables are not known; restart the agent once it answers");
  }
}

}  // namespace

void discover_points(AgentSettings& settings, const Clock& clock, const Log& log) {
  std::map<std::string, std::vector<ConfiguredDevice>> by_bus;
  for (const ConfiguredDevice& device : settings.devices)
    driver_named(device.address.driver())->prepare(settings.data_dir);
  for (const ConfiguredDevice& device : settings.devices)
    if (has_points_to_discover(device)) by_bus[device.address.bus()].push_back(device);
  if (by_bus.empty()) return;

  const std::filesystem::path file = settings.data_dir / "found_points.json";
  FoundByDevice all = remembered(file, settings.devices);
  std::vector<std::unique_ptr<Bus>> buses;
  buses.reserve(by_bus.size());
  for (const auto& [name, devices] : by_bus)
    buses.push_back(driver_named(devices.front().address.driver())
                        ->make(devices, BusContext{clock, log, settings.data_dir, {}}));
  std::mutex mutex;
  std::vector<std::thread> threads;
  auto bus = buses.begin();
  for (const auto& [name, devices] : by_bus) {
    threads.emplace_back([&, one = bus->get(), &some = devices] { ask_bus(*one, some, mutex, all, log); });
    ++bus;
  }
  for (std::thread& thread : threads) thread.join();

  for (ConfiguredDevice& device : settings.devices) {
    const auto found = all.find(device.description.id);
    if (found == all.end()) continue;
    DevicePoints points = points_of(*device.profile, found->second);
    device.description.points = std::move(points.descriptions);
    device.sources = std::move(points.sources);
  }
  remember(file, settings.devices, all, log);
}

}  // namespace watchroom::agent
