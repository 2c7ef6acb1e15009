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

Agent::Agent(EdgeNodeSettings settings, DeviceList devices, Journal& journal, Outlet& outlet,
             const Clock& clock, Log log)
    : devices_{std::move(devices)},
      reporters_{devices_.begin(), devices_.end()},
      journal_{journal},
      outlet_{outlet},
      clock_{clock},
      log_{std::move(log)},
      edge_node_{std::move(settings), devices_, journal, clock, log_.tagged("link")},
      mailbox_{mailbox_capacity} {}

std::optional<Steady> Agent::step(std::vector<AgentEvent> events) {
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
  if (polled.description) {
    devices_[polled.device] = polled.description;
    reporters_[polled.device] = Reporter{polled.description};
    edge_node_.redescribed(polled.device, polled.description);
  }
  std::optional<std::uint64_t> record;
  if (auto report = reporters_[polled.device].judge(polled, clock_.steady())) {
    Payload payload;
    payload.metrics = std::move(report->metrics);
    record = journal_.append(devices_[polled.device]->id, encode(payload, WithDatatypes::no),
                             report->is_urgent ? Urgency::urgent : Urgency::routine);
  }
  edge_node_.polled(polled, record);
}

void Agent::take(const DeviceEvent& event) {
  if (event.device >= devices_.size() || !devices_[event.device]->tells_events) return;
  // The count steps, so that the same text twice is two events.
  Payload payload;
  payload.metrics = {{.name = std::string{metric_names::event_text}, .at = event.at, .value = event.text},
                     {.name = std::string{metric_names::event_count},
                      .at = event.at,
                      .value = ++event_counts_[event.device]}};
  const std::uint64_t record =
      journal_.append(devices_[event.device]->id, encode(payload, WithDatatypes::no), Urgency::urgent);
  edge_node_.told(event.device, payload.metrics, record);
}

void Agent::take(const WillWanted& wanted) {
  outlet_.provide_will(wanted.session, edge_node_.will(wanted.session));
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
