// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/poller.hpp"

#include <map>
#include <thread>

#include "agent/drivers/driver.hpp"
#include "agent/drivers/pause.hpp"
#include "agent/polling/schedule.hpp"

namespace watchroom::agent {

/// One bus, its thread and its share of the devices.
class Poller::BusThread {
 public:
  BusThread(std::vector<ConfiguredDevice> devices, std::vector<std::size_t> indices, const Clock& clock,
            const Log& log, const std::filesystem::path& data_dir, std::function<void(PollResult)> deliver)
      : clock_{clock},
        log_{log.tagged(devices.front().address.driver())},
        indices_{std::move(indices)},
        last_states_(devices.size(), Communication::unknown),
        deliver_{std::move(deliver)} {
    for (const ConfiguredDevice& device : devices) {
      intervals_.push_back(device.description.poll_interval);
      ids_.push_back(device.description.id);
    }
    const DriverType* type = driver_named(devices.front().address.driver());
    bus_ = type->make(std::move(devices), BusContext{clock_, log_, data_dir, stop_.get_token()});
  }

  void start() {
    thread_ = std::thread{[this] { run(); }};
  }
  void request_stop() { stop_.request_stop(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    Schedule schedule{intervals_, clock_.steady()};
    while (!stop_.stop_requested()) {
      const Steady now = clock_.steady();
      if (const auto device = schedule.next(now)) {
        const bool answered = poll(*device);
        schedule.asked(*device, now, clock_.steady(), answered);
      } else {
        pause_until(stop_.get_token(), std::chrono::steady_clock::now() + (schedule.wake_at(now) - now));
      }
    }
  }

  /// False: back off.
  bool poll(std::size_t device) {
    Answer answer = bus_->read(device);
    if (stop_.stop_requested()) return true;  // an exchange that was broken off says nothing
    tell_change(device, answer);
    const bool answered = answer.communication == Communication::ok;
    deliver_(PollResult{indices_[device], answer.communication, std::move(answer.text), clock_.now(),
                        std::move(answer.readings)});
    return answered;
  }

  void tell_change(std::size_t device, const Answer& answer) {
    const Communication before = std::exchange(last_states_[device], answer.communication);
    if (before == answer.communication) return;
    if (answer.communication != Communication::ok)
      log_.warning("{}: {}", ids_[device], answer.text);
    else if (before != Communication::unknown)
      log_.info("{}: answers again", ids_[device]);
  }

  const Clock& clock_;
  Log log_;
  std::vector<std::size_t> indices_;  // of our devices among all
  std::vector<std::string> ids_;
  std::vector<std::chrono::milliseconds> intervals_;
  std::vector<Communication> last_states_;
  std::function<void(PollResult)> deliver_;
  std::stop_source stop_;
  std::unique_ptr<Bus> bus_;
  std::thread thread_;
};

Poller::Poller(const AgentSettings& settings, const Clock& clock, const Log& log,
               const std::function<void(PollResult)>& deliver) {
  std::map<std::string, std::vector<std::size_t>> by_bus;
  for (std::size_t i = 0; i < settings.devices.size(); ++i)
    by_bus[settings.devices[i].address.bus()].push_back(i);
  for (auto& [bus, indices] : by_bus) {
    std::vector<ConfiguredDevice> devices;
    for (const std::size_t index : indices) devices.push_back(settings.devices[index]);
    buses_.push_back(std::make_unique<BusThread>(std::move(devices), std::move(indices), clock, log,
                                                 settings.data_dir, deliver));
  }
}

Poller::~Poller() { stop(); }

void Poller::start() {
  for (const auto& bus : buses_) bus->start();
}

void Poller::stop() {
  for (const auto& bus : buses_) bus->request_stop();
  for (const auto& bus : buses_) bus->join();
}

}  // namespace watchroom::agent
