// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/poller.hpp"

#include <map>
#include <set>
#include <string>

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

/// Devices of one bus share its threads.
std::string bus_of(const ConfiguredDevice& device, const DriverType& driver) {
  return driver.is_concurrent ? std::string{driver.name} : device.address.bus();
}

}  // namespace

void prepare_devices(AgentSettings& settings, const Log& log) {
  std::set<const DriverType*> drivers;
  for (const ConfiguredDevice& device : settings.devices)
    drivers.insert(driver_named(device.address.driver()));
  for (const DriverType* driver : drivers) driver->prepare(settings.data_dir);
  for (ConfiguredDevice& device : settings.devices)
    device.description.tells_events =
        !settings.snmp_traps.listen.empty() && std::holds_alternative<SnmpAddress>(device.address.where);
  const FoundPoints found{settings.data_dir, log};
  for (ConfiguredDevice& device : settings.devices)
    if (has_points_to_find(*device.profile)) set_points(device, found.of(device), *settings.point_lists);
}

Poller::Poller(const AgentSettings& settings, const Clock& clock, const Log& log,
               const std::function<void(PollResult)>& deliver)
    : found_{settings.data_dir, log}, lists_{settings.point_lists} {
  struct Members {
    const DriverType* driver = nullptr;
    std::vector<ConfiguredDevice> devices;
    std::vector<std::size_t> indices;
  };
  std::map<std::string, Members> by_bus;
  for (std::size_t i = 0; i < settings.devices.size(); ++i) {
    const DriverType* driver = driver_named(settings.devices[i].address.driver());
    Members& members = by_bus[bus_of(settings.devices[i], *driver)];
    members.driver = driver;
    members.devices.push_back(settings.devices[i]);
    members.indices.push_back(i);
  }
  const BusContext context{clock, log, settings.data_dir, {}};
  places_.resize(settings.devices.size());
  for (auto& [name, members] : by_bus) {
    const std::vector<std::size_t> indices = members.indices;
    buses_.push_back(std::make_unique<BusWorkers>(*members.driver, std::move(members.devices),
                                                  std::move(members.indices), found_, *lists_, context,
                                                  deliver));
    for (std::size_t i = 0; i < indices.size(); ++i) places_[indices[i]] = {buses_.back().get(), i};
  }
}

Poller::~Poller() { stop(); }

void Poller::start() {
  for (const auto& bus : buses_) bus->start();
}

void Poller::hurry(std::size_t device, bool find_points) {
  if (device < places_.size()) places_[device].bus->hurry(places_[device].device, find_points);
}

void Poller::stop() {
  for (const auto& bus : buses_) bus->request_stop();
  for (const auto& bus : buses_) bus->join();
}

}  // namespace watchroom::agent
