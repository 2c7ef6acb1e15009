// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling_field.hpp"

#include <algorithm>

namespace watchroom::agent {

PollingField::PollingField(const Clock& clock, BusBoard& board, Log log,
                           const std::map<std::string, std::string>& classes)
    : clock_{clock}, board_{board}, log_{std::move(log)} {
  for (const auto& [device, name] : classes)
    if (const auto known = resource_class_named(name)) given_[device] = *known;
}

void PollingField::prepare(AgentSettings& settings) {
  const std::lock_guard lock{mutex_};
  if (!found_) found_.emplace(settings.data_dir, log_);
  prepare_devices(settings, given_, *found_);
}

void PollingField::start(const AgentSettings& settings, const std::function<void(PollResult)>& deliver) {
  const std::lock_guard lock{mutex_};
  ids_.clear();
  for (const ConfiguredDevice& device : settings.devices) ids_.push_back(device.description.id);
  poller_ = std::make_unique<Poller>(settings, clock_, log_, board_, deliver,
                                     PollerShared{&names_, found_ ? &*found_ : nullptr});
  poller_->start();
}

std::unique_ptr<Poller> PollingField::taken() {
  const std::lock_guard lock{mutex_};
  return std::move(poller_);
}

// Both take a while, and deliver meanwhile: not under the lock.
void PollingField::stop() {
  if (const auto poller = taken()) poller->stop();
}

void PollingField::finish(std::chrono::milliseconds patience) {
  if (const auto poller = taken()) poller->finish(patience);
}

void PollingField::hurry(std::size_t device, bool find_points) {
  const std::lock_guard lock{mutex_};
  if (poller_) poller_->hurry(device, find_points);
}

void PollingField::write(PointWrite write) {
  const std::lock_guard lock{mutex_};
  if (poller_) return poller_->write(std::move(write));
  write.done(fail(Errc::not_connected, Retry::later, "nothing is polled just now"));
}

void PollingField::put_into_class(const std::string& device, ResourceClass resource_class) {
  const std::lock_guard lock{mutex_};
  given_[device] = resource_class;
  const auto place = std::find(ids_.begin(), ids_.end(), device);
  if (poller_ && place != ids_.end())
    poller_->put_into_class(static_cast<std::size_t>(place - ids_.begin()), resource_class);
}

}  // namespace watchroom::agent
