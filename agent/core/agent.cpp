// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/core/agent.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t mailbox_capacity = 8192;
constexpr std::size_t most_events_a_step = 512;
constexpr auto longest_wait = 1s;

}  // namespace

Agent::Agent(EdgeNodeSettings settings, DeviceList devices, Journal& journal, Outlet& outlet, Field& field,
             AgentClock& clock, ClockFacts facts, Log log)
    : devices_{std::move(devices)},
      reporters_{devices_.begin(), devices_.end()},
      journal_{journal},
      outlet_{outlet},
      field_{field},
      clock_{clock},
      clock_facts_{std::move(facts)},
      log_{std::move(log)},
      clock_watch_{machine_time(), clock_facts_.built, journal.known_time()},
      edge_node_{std::move(settings), devices_, journal, clock, log_.tagged("link")},
      mailbox_{mailbox_capacity} {
  const ClockTrust trust = clock_watch_.trust();
  clock_.set_trust(trust);
  journal_.begin_era(clock_facts_.boot, clock_watch_.offset(), trust);
  edge_node_.clock_moved(0ms, trust);
  if (trust == ClockTrust::unsure)
    log_.warning("the clock says {}, which cannot be right: readings are marked as of an unsure time",
                 to_rfc3339(clock_.now()));
}

std::optional<Steady> Agent::step(std::vector<AgentEvent> events) {
  watch_clock();
  for (AgentEvent& event : events) {
    std::visit([this](auto& told) { take(told); }, event);
    send();
  }
  if (const auto due = journal_.deadline(); due && *due <= clock_.steady()) commit();
  // While the disk refuses, what is new does not wait for it.
  if (journal_.is_failing()) edge_node_.not_committed(journal_.pending());
  edge_node_.dropped_polls(mailbox_.refused());
  edge_node_.tick();
  send();
  const auto commit_due = journal_.deadline();
  const auto node_due = edge_node_.deadline();
  return commit_due && node_due ? std::min(commit_due, node_due) : commit_due ? commit_due : node_due;
}

void Agent::take(PollResult& polled) {
  if (polled.device >= reporters_.size()) return;
  correct_times(polled);
  if (polled.description) {
    devices_[polled.device] = polled.description;
    reporters_[polled.device] = Reporter{polled.description};
    edge_node_.redescribed(polled.device, polled.description);
  }
  std::optional<std::uint64_t> record;
  if (auto report = reporters_[polled.device].judge(polled, clock_.steady())) {
    Payload payload;
    payload.metrics = std::move(report->metrics);
    if (clock_watch_.trust() == ClockTrust::unsure)
      for (Metric& metric : payload.metrics) metric.is_clock_unsure = true;
    record = journal_.append(devices_[polled.device]->id, encode(payload, WithDatatypes::no),
                             report->is_urgent ? Urgency::urgent : Urgency::routine);
  }
  edge_node_.polled(polled, record);
}

void Agent::take(const WillWanted& wanted) {
  outlet_.provide_will(wanted.session, edge_node_.will(wanted.session));
}

void Agent::take(const Reconfigured& settings) {
  std::vector<Reporter> reporters;
  for (const auto& device : settings.devices) {
    // Of a device that is as it was, what was reported is known.
    const auto before = std::find(devices_.begin(), devices_.end(), device);
    reporters.push_back(before == devices_.end()
                            ? Reporter{device}
                            : std::move(reporters_[static_cast<std::size_t>(before - devices_.begin())]));
  }
  reporters_ = std::move(reporters);
  devices_ = settings.devices;
  edge_node_.reconfigured(devices_);
}

void Agent::take(const Arrived& message) {
  edge_node_.arrived(message.session, message.topic, message.payload);
  if (const auto host_time = edge_node_.take_host_time())
    move_clock(clock_watch_.heard(*host_time, machine_time()));
  give_classes();
}

void Agent::give_classes() {
  for (const ClassWanted& wanted : edge_node_.take_classes_wanted()) {
    const DeviceDescription& device = *devices_[wanted.device];
    const bool is_as_configured = wanted.resource_class == device.configured_class;
    log_.info("{}: class {}, by the centre", device.id, name_of(wanted.resource_class));
    journal_.give_class(device.id, is_as_configured ? "" : std::string{name_of(wanted.resource_class)});
    field_.put_into_class(device.id, wanted.resource_class);
  }
}

MachineTime Agent::machine_time() const {
  const Clock& machine = clock_.machine();
  return {machine.now(), machine.steady(), clock_facts_.is_synchronised()};
}

void Agent::watch_clock() {
  const Steady now = clock_.steady();
  if (now < look_at_clock_at_) return;
  look_at_clock_at_ = now + 1s;
  move_clock(clock_watch_.look(machine_time()));
  clock_.set_offset(clock_watch_.offset());
}

void Agent::move_clock(const std::optional<ClockStep>& step) {
  if (!step) return;
  const Timestamp before = clock_.now();
  clock_.set_offset(clock_watch_.offset());
  clock_.set_trust(step->after);
  last_step_ = step->by;
  log_.warning("clock: {}: {} is now {}", step->why, to_rfc3339(before), to_rfc3339(clock_.now()));
  if (step->by == 0ms && step->before == step->after) return;
  journal_.begin_era(clock_facts_.boot, clock_watch_.offset(), step->after);
  edge_node_.clock_moved(step->by, step->after);
}

/// A poll that was on its way here while the clock was moved is by the old one.
void Agent::correct_times(PollResult& polled) const {
  if (last_step_ == 0ms) return;
  const auto distance = [now = clock_.now()](Timestamp at) { return at > now ? at - now : now - at; };
  if (distance(polled.polled_at + last_step_) >= distance(polled.polled_at)) return;
  polled.polled_at += last_step_;
  for (Reading& reading : polled.readings) reading.taken_at += last_step_;
}

void Agent::commit() {
  if (const auto committed = journal_.commit()) edge_node_.committed(*committed);
}

void Agent::send() {
  const Outgoing out = edge_node_.take();
  if (!out.subscriptions.empty())
    if (auto subscribed = outlet_.subscribe(out.session, out.subscriptions); !subscribed) return;
  for (const OutgoingMessage& message : out.messages) {
    // A session that has just ended: its end is on its way to us, and the records stay in the journal.
    if (auto published = outlet_.publish(out.session, message.message); !published) return;
    if (message.record > 0) edge_node_.published(message.record);
  }
}

void Agent::finish() {
  commit();
  edge_node_.stop();
  send();
}

void Agent::run() {
  std::optional<Steady> due;
  while (!is_stopping_) {
    const Steady latest = clock_.steady() + longest_wait;
    auto events = mailbox_.take(most_events_a_step, std::min(due.value_or(latest), latest));
    due = step(std::move(events));
    if (const std::uint64_t refused = mailbox_.refused(); refused > refused_told_) {
      if (refused_told_ == 0)
        log_.warning("polls come faster than they can be taken; {} were dropped", refused);
      refused_told_ = refused;
    }
  }
  finish();
}

void Agent::request_stop() {
  is_stopping_ = true;
  mailbox_.poke();
}

}  // namespace watchroom::agent
