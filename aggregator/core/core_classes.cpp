// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Another class for a device: asked for until its birth shows it. A request lives in memory only: after a
// restart of the centre whoever asked looks again.
#include "aggregator/core/core.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto ask_again_after = 5s;  // a command has quality of service 0
constexpr auto given_up_after = 60s;

}  // namespace

void Core::handle(AskForClass& event) {
  const auto refuse = [&](Error error) { event.answer->set_value(std::move(error)); };
  const DevicePlace& place = event.device;
  const auto node_at = nodes_.find({place.site, place.agent});
  KnownNode* node = node_at == nodes_.end() ? nullptr : &node_at->second;
  const auto device_at =
      node ? node->devices.find(place.device) : std::map<std::string, KnownDevice>::iterator{};
  const bool is_known = node && !place.device.empty() && device_at != node->devices.end() &&
                        device_at->second.presence != Presence::gone;
  if (!is_known)
    return refuse(fail(Errc::not_found, Retry::never, "there is no device {}/{}/{}", place.site, place.agent,
                       place.device));
  KnownDevice& device = device_at->second;
  if (!broker_connected_ || node->contact != Contact::online)
    return refuse(
        fail(Errc::conflict, Retry::later, "agent {}/{} cannot be reached now", place.site, place.agent));
  if (device.about.class_configured.empty())
    return refuse(fail(Errc::conflict, Retry::never, "agent {}/{} does not let classes be changed",
                       place.site, place.agent));
  log_.info("class of {}/{}/{}: {} asks for {}, it is {}", place.site, place.agent, place.device, event.by,
            event.wanted, device.about.resource_class);
  const bool is_so_already = device.about.resource_class == event.wanted &&
                             (!device.wanted_class || device.wanted_class->is_given_up);
  device.wanted_class.reset();
  classes_wanted_.erase({node, &device});
  if (!is_so_already) {
    device.wanted_class = WantedClass{event.wanted, event.by, clock_.steady(), {}, false};
    classes_wanted_.insert({node, &device});
  }
  dirty_nodes_.insert(node);
  event.answer->set_value(view_of(device));
}

/// After the commit, like all that leaves.
std::vector<MqttMessage> Core::take_class_commands() {
  std::vector<MqttMessage> commands;
  if (!broker_connected_) return commands;
  for (const auto& [node, device] : classes_wanted_) {
    WantedClass& wanted = *device->wanted_class;
    const bool is_due = !wanted.sent_at || clock_.steady() - *wanted.sent_at >= ask_again_after;
    if (node->contact != Contact::online || !is_due) continue;
    wanted.sent_at = clock_.steady();
    commands.push_back(Host::class_command(node->key, device->about.device, wanted.name, clock_.now()));
  }
  return commands;
}

void Core::give_up_classes() {
  for (auto at = classes_wanted_.begin(); at != classes_wanted_.end();) {
    const auto& [node, device] = *at;
    WantedClass& wanted = *device->wanted_class;
    if (clock_.steady() - wanted.asked_at < given_up_after) {
      ++at;
      continue;
    }
    wanted.is_given_up = true;
    log_.warning("class of {}/{}/{}: {} asked for {} was not carried out, it is {}", node->key.site,
                 node->key.agent, device->about.device, wanted.by, wanted.name, device->about.resource_class);
    dirty_nodes_.insert(node);
    at = classes_wanted_.erase(at);
  }
}

/// A birth has told the class.
void Core::note_class(KnownNode& node, KnownDevice& device) {
  if (!device.wanted_class || device.wanted_class->name != device.about.resource_class) return;
  log_.info("class of {}/{}/{} is {} now, as {} asked", node.key.site, node.key.agent, device.about.device,
            device.wanted_class->name, device.wanted_class->by);
  classes_wanted_.erase({&node, &device});
  device.wanted_class.reset();
}

}  // namespace watchroom::aggregator
