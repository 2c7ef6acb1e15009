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
constexpr auto figures_interval = 1s;
// A flash that tidies up holds a commit for seconds; a damaged journal of full size is saved within one step,
// which must not be broken off.
constexpr auto longest_step = 5min;
// From a device's answer to us.
constexpr auto longest_way_here = 30s;

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
  journal_.begin_era(clock_facts_.boot, clock_watch_.offset(), trust);
  edge_node_.clock_moved(0ms, trust);
  clock_.set_surely_past(std::max(clock_facts_.built, journal.known_time()));
  vouch_for_clock();
  if (trust == ClockTrust::unsure)
    log_.warning("the clock says {}, which cannot be right: readings are marked as of an unsure time",
                 to_rfc3339(clock_.now()));
  noted_.disconnected_since = clock_.steady();
  note_figures();
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
  if (clock_.steady() >= *noted_at_ + figures_interval) note_figures();
  const auto commit_due = journal_.deadline();
  const auto node_due = edge_node_.deadline();
  return commit_due && node_due ? std::min(commit_due, node_due) : commit_due ? commit_due : node_due;
}

void Agent::take(PollResult& polled) {
  if (polled.device >= reporters_.size()) return;
  const auto& known = polled.description ? polled.description : devices_[polled.device];
  if (!polled.readings.empty() && polled.readings.size() != known->points.size()) {
    log_.error("{}: {} readings for {} points are of no use", known->id, polled.readings.size(),
               known->points.size());
    return;
  }
  const auto late = late_step(polled.polled_at);
  polled.polled_at += late;
  for (Reading& reading : polled.readings) reading.taken_at += late;
  if (polled.description) {
    devices_[polled.device] = polled.description;
    reporters_[polled.device] = Reporter{polled.description};
    edge_node_.redescribed(polled.device, polled.description);
  }
  std::optional<std::uint64_t> record;
  if (auto report = reporters_[polled.device].judge(polled, clock_.steady())) {
    Payload payload;
    payload.metrics = std::move(report->metrics);
    record =
        append(devices_[polled.device]->id, payload, report->is_urgent ? Urgency::urgent : Urgency::routine);
  }
  edge_node_.polled(polled, record);
}

void Agent::take(DeviceEvent& event) {
  if (event.device >= devices_.size() || !devices_[event.device]->tells_events) return;
  event.at += late_step(event.at);
  const std::string& id = devices_[event.device]->id;
  // The count steps, so that the same text twice is two events.
  Payload payload;
  payload.metrics = {
      {.name = std::string{metric_names::event_text}, .at = event.at, .value = event.text},
      {.name = std::string{metric_names::event_count}, .at = event.at, .value = ++event_counts_[id]}};
  const std::uint64_t record = append(id, payload, Urgency::urgent);
  edge_node_.told(event.device, payload.metrics, record);
}

std::uint64_t Agent::append(const std::string& device, Payload& payload, Urgency urgency) {
  if (clock_watch_.trust() == ClockTrust::unsure)
    for (Metric& metric : payload.metrics) metric.is_clock_unsure = true;
  return journal_.append(device, encode(payload, WithDatatypes::no), urgency);
}

void Agent::take(const WillWanted& wanted) {
  outlet_.provide_will(wanted.session, edge_node_.will(wanted.session));
}

void Agent::take(const Connected& connected) {
  ++noted_.sessions;
  noted_.connected_since = clock_.steady();
  edge_node_.connected(connected.session);
}

void Agent::take(const Disconnected& lost) {
  if (noted_.connected_since)
    noted_.disconnected_since = clock_.steady();
  else
    ++noted_.failed_attempts;
  noted_.connected_since.reset();
  edge_node_.disconnected(lost.session, lost.reason);
}

void Agent::note_figures() {
  noted_at_ = clock_.steady();
  noted_.journal = journal_.figures();
  noted_.clock_trust = clock_watch_.trust();
  noted_.refused_acknowledgements = edge_node_.refused_acknowledgements();
  const std::lock_guard lock{figures_mutex_};
  figures_ = noted_;
}

CoreFigures Agent::figures() const {
  CoreFigures figures;
  {
    const std::lock_guard lock{figures_mutex_};
    figures = figures_;
  }
  figures.mailbox_fill = mailbox_.size();
  figures.mailbox_room = mailbox_.room_for_polls();
  figures.mailbox_refused = mailbox_.refused();
  figures.back_by = Steady{std::chrono::milliseconds{back_by_ms_}};
  return figures;
}

void Agent::comes_by(std::chrono::milliseconds within) {
  back_by_ms_ = (clock_.steady() + within).time_since_epoch().count();
}

void Agent::take(const Reconfigured& settings) {
  DeviceList devices;
  std::vector<Reporter> reporters;
  for (const auto& device : settings.devices) {
    // Of a device that is as it was, what was reported is known.
    const auto before =
        std::find_if(devices_.begin(), devices_.end(), [&](const auto& known) { return *known == *device; });
    const bool is_new = before == devices_.end();
    devices.push_back(is_new ? device : *before);
    reporters.push_back(is_new ? Reporter{device}
                               : std::move(reporters_[static_cast<std::size_t>(before - devices_.begin())]));
  }
  reporters_ = std::move(reporters);
  devices_ = std::move(devices);
  edge_node_.reconfigured(devices_);
}

void Agent::take(const Arrived& message) {
  edge_node_.arrived(message.session, message.topic, message.payload);
  if (const auto host_time = edge_node_.take_time_told()) {
    noted_.host_heard_at = clock_.steady();
    move_clock(clock_watch_.heard(*host_time, machine_time()));
  }
  give_classes();
  for (std::string& order : edge_node_.take_orders())
    if (deliver_order_) deliver_order_(std::move(order));
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
  vouch_for_clock();
}

void Agent::vouch_for_clock() {
  const bool is_confirmed = clock_watch_.trust() == ClockTrust::confirmed;
  clock_.set_confirmed(is_confirmed);
  if (is_confirmed) clock_.set_surely_past(clock_.now());
}

void Agent::move_clock(const std::optional<ClockStep>& step) {
  if (!step) return;
  const Timestamp before = clock_.now();
  clock_.set_offset(clock_watch_.offset());
  last_step_ = step->by;
  late_until_ = clock_.steady() + longest_way_here;
  log_.warning("clock: {}: {} is now {}", step->why, to_rfc3339(before), to_rfc3339(clock_.now()));
  if (step->by == 0ms && step->before == step->after) return;
  journal_.begin_era(clock_facts_.boot, clock_watch_.offset(), step->after);
  edge_node_.clock_moved(step->by, step->after);
}

/// What was on its way here while the clock was moved is by the old one, and late by that step; else 0.
std::chrono::milliseconds Agent::late_step(Timestamp at) const {
  if (clock_.steady() > late_until_) return 0ms;
  const auto distance = [now = clock_.now()](Timestamp time) { return time > now ? time - now : now - time; };
  return distance(at + last_step_) < distance(at) ? last_step_ : 0ms;
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
    comes_by(longest_step);
    due = step(std::move(events));
    if (const std::uint64_t refused = mailbox_.refused(); refused > refused_told_) {
      if (refused_told_ == 0)
        log_.warning("polls come faster than they can be taken; {} were dropped", refused);
      refused_told_ = refused;
    }
  }
  // What was read and is still on its way to the journal.
  for (auto events = mailbox_.take(most_events_a_step, clock_.steady()); !events.empty();
       events = mailbox_.take(most_events_a_step, clock_.steady()))
    step(std::move(events));
  finish();
  back_by_ms_ = Steady::max().time_since_epoch().count();
}

void Agent::request_stop() {
  is_stopping_ = true;
  mailbox_.poke();
}

}  // namespace watchroom::agent
