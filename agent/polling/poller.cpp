// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/poller.hpp"

#include <map>
#include <string>

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

/// Devices of one bus share its threads: those of one line, or, where each has its own, of one scheme, so
/// that slow web pages keep no echo waiting.
std::string bus_of(const ConfiguredDevice& device, const DriverType& driver) {
  return driver.is_concurrent ? std::string{device.address.scheme()} : device.address.bus();
}

}  // namespace

void prepare_devices(AgentSettings& settings, const std::map<std::string, ResourceClass>& given_classes,
                     FoundPoints& found) {
  // All of them: the first device of one may come with other settings, when there are threads.
  for (const DriverType* driver : driver_types()) driver->prepare(settings.data_dir);
  for (ConfiguredDevice& device : settings.devices)
    device.description.tells_events =
        !settings.snmp_traps.listen.empty() && driver_named(device.address.driver())->tells_events;
  for (ConfiguredDevice& device : settings.devices) {
    const auto given = given_classes.find(device.description.id);
    if (given != given_classes.end()) put_into_class(device, given->second, settings.classes);
    const bool has_more = has_points_to_find(*device.profile);
    if (has_more || given != given_classes.end())
      set_points(device, has_more ? found.of(device) : std::vector<FoundPoint>{}, *settings.point_lists);
  }
}

Poller::Poller(const AgentSettings& settings, const Clock& clock, const Log& log, BusBoard& board,
               const std::function<void(PollResult)>& deliver, const PollerShared& shared)
    : found_{shared.found ? *shared.found : own_found_.emplace(settings.data_dir, log)},
      lists_{settings.point_lists},
      classes_{settings.classes} {
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
  const BusContext context{clock, log, settings.data_dir, {}, {}, shared.names};
  places_.resize(settings.devices.size());
  for (auto& [name, members] : by_bus) {
    const std::vector<std::size_t> indices = members.indices;
    buses_.push_back(std::make_unique<BusWorkers>(name, *members.driver, std::move(members.devices),
                                                  std::move(members.indices), found_, *lists_, board, context,
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

void Poller::write(PointWrite write) {
  if (write.device >= places_.size())
    return write.done(fail(Errc::not_found, Retry::never, "there is no such device"));
  const Place& place = places_[write.device];
  write.device = place.device;
  place.bus->write(std::move(write));
}

void Poller::put_into_class(std::size_t device, ResourceClass resource_class) {
  if (device < places_.size())
    places_[device].bus->put_into_class(places_[device].device, resource_class, classes_);
}

void Poller::finish(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (const auto& bus : buses_) bus->request_finish();
  for (const auto& bus : buses_)
    if (!bus->has_finished(until)) bus->request_stop();
  for (const auto& bus : buses_) bus->join();
}

void Poller::stop() {
  for (const auto& bus : buses_) bus->request_stop();
  for (const auto& bus : buses_) bus->join();
}

}  // namespace watchroom::agent
