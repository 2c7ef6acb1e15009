// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling_field.hpp"

#include <algorithm>

namespace watchroom::agent {

void PollingField::given_before(const std::map<std::string, std::string>& classes) {
  const std::lock_guard lock{mutex_};
  for (const auto& [device, name] : classes)
    if (const auto known = resource_class_named(name)) given_[device] = *known;
}

void PollingField::prepare(AgentSettings& settings) {
  const std::lock_guard lock{mutex_};
  prepare_devices(settings, given_, log_);
}

void PollingField::start(const AgentSettings& settings, const std::function<void(PollResult)>& deliver) {
  const std::lock_guard lock{mutex_};
  ids_.clear();
  for (const ConfiguredDevice& device : settings.devices) ids_.push_back(device.description.id);
  poller_ = std::make_unique<Poller>(settings, clock_, log_, deliver);
  poller_->start();
}

void PollingField::stop() {
  std::unique_ptr<Poller> poller;
  {
    const std::lock_guard lock{mutex_};
    poller = std::move(poller_);
  }
  if (poller) poller->stop();  // takes a while, and delivers meanwhile
}

void PollingField::put_into_class(const std::string& device, ResourceClass resource_class) {
  const std::lock_guard lock{mutex_};
  given_[device] = resource_class;
  const auto place = std::find(ids_.begin(), ids_.end(), device);
  if (poller_ && place != ids_.end())
    poller_->put_into_class(static_cast<std::size_t>(place - ids_.begin()), resource_class);
}

}  // namespace watchroom::agent
