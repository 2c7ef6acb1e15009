// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What the edge node is told by the centre: commands, acknowledgements, whether hosts are there.
#include <algorithm>

#include "agent/link/edge_node.hpp"

namespace watchroom::agent {
namespace {

constexpr std::size_t most_told = 100;
// A host tells its time as soon as it has taken our births.
constexpr std::chrono::seconds longest_wait_for_time{10};

}  // namespace

void EdgeNode::arrived(SessionNumber session, std::string_view at, std::string_view payload) {
  if (!session_ || session_->number != session) return;
  if (at == topic(Verb::ncmd).str()) {
    take_command(payload);
    return;
  }
  if (const auto to = Topic::parse(at); to && to->verb == Verb::dcmd) {
    if (to->group == settings_.group && to->node == settings_.node) take_device_command(to->device, payload);
    return;
  }
  const auto host = host_of_state_topic(at);
  if (!host || !session_->hosts.contains(*host)) return;
  if (const auto state = HostState::parse(payload))
    take_host_state(*host, *state);
  else
    tell_once(fmt::format("STATE of host \"{}\" is not readable", *host));
}

void EdgeNode::take_command(std::string_view bytes) {
  const auto command = decode(bytes);
  if (!command) {
    tell_once(fmt::format("a command that cannot be read: {}", command.error().text));
    return;
  }
  // Metrics that were never announced are ignored (chapter 5, commands).
  for (const Metric& metric : command->metrics) {
    if (metric.name == metric_names::journal_ack && take_acknowledgement(metric)) take_host_time(command->at);
    if (metric.name == metric_names::order && metric.value)
      if (const auto* text = std::get_if<std::string>(&*metric.value); text && !text->empty())
        orders_.push_back(*text);
    if (metric.name == metric_names::rebirth && metric.value && number_of(*metric.value).value_or(0) != 0)
      ask_for_rebirth();
  }
}

/// By it the clock is put right before anything from before this connection is sent.
void EdgeNode::take_host_time(const std::optional<Timestamp>& at) {
  if (!at) return;
  host_time_ = at;
  session_->hold_replay_until.reset();
}

void EdgeNode::take_device_command(const std::string& id, std::string_view bytes) {
  const auto command = decode(bytes);
  if (!command) return tell_once(fmt::format("a command that cannot be read: {}", command.error().text));
  for (const Metric& metric : command->metrics) {
    if (metric.name != metric_names::resource_class) continue;
    const auto* text = metric.value ? std::get_if<std::string>(&*metric.value) : nullptr;
    const auto wanted = resource_class_named(text ? *text : "");
    const auto last = devices_.begin() + static_cast<std::ptrdiff_t>(configured_);
    const auto device = std::find_if(devices_.begin(), last, [&](const Device& one) { return one.id == id; });
    if (wanted && device != last && device->now.may_change_class())
      classes_wanted_.push_back({static_cast<std::size_t>(device - devices_.begin()), *wanted});
    else
      tell_once(
          fmt::format("the class \"{}\" for device \"{}\" is refused, expected core, key or general for a "
                      "device of ours",
                      text ? *text : "", id));
  }
}

void EdgeNode::ask_for_rebirth() {
  // operational-behavior-data-commands-rebirth-action-1 to -3; a host that asks without end gets one a
  // second.
  const Steady earliest = session_->born_at + rebirth_interval;
  if (clock_.steady() >= earliest)
    send_births();
  else
    session_->rebirth_at = earliest;
}

bool EdgeNode::take_acknowledgement(const Metric& metric) {
  const auto refuse = [&](const std::string& why) {
    ++refused_acknowledgements_;
    tell_once(fmt::format("a journal acknowledgement is refused: {}", why));
    return false;
  };
  const auto* text = metric.value ? std::get_if<std::string>(&*metric.value) : nullptr;
  const auto ack = JournalAck::parse(text ? *text : "");
  if (!ack) return refuse(ack.error().text);
  if (ack->journal_id != journal_.id())
    return refuse(fmt::format("host \"{}\" means journal {}", ack->host_id, to_hex(ack->journal_id)));
  std::vector<RecordRange> ranges;
  for (const auto& [first, last] : ack->ranges) ranges.push_back({first, last});
  if (auto taken = journal_.acknowledge(ack->host_id, ack->cumulative, ranges); !taken)
    return refuse(taken.error().text);
  Host& host = session_->hosts[ack->host_id];
  if (!host.is_online) host_is_online(ack->host_id);
  return true;
}

void EdgeNode::take_host_state(const std::string& name, const HostState& state) {
  Host& host = session_->hosts[name];
  // message-flow-edge-node-birth-publish-phid-wait-timestamp: the first counts, then none that is older.
  if (host.state_timestamp_ms && state.timestamp_ms < *host.state_timestamp_ms) return;
  host.state_timestamp_ms = state.timestamp_ms;
  const std::optional<bool> before = host.is_online;
  if (before == state.online) return;
  if (!state.online) {
    host.is_online = false;
    session_->voluntary_rebirth_at.reset();
    log_.info("host {} is offline; replay waits", name);
    return;
  }
  host_is_online(name);
  if (before != false) return;
  // A host that comes back asks every node at once; nodes that come by themselves, spread out, spare it that.
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(longest_jitter).count();
  std::uniform_int_distribution<std::int64_t> jitter{0, most};
  session_->voluntary_rebirth_at = clock_.steady() + std::chrono::milliseconds{jitter(random_)};
}

void EdgeNode::host_is_online(const std::string& name) {
  session_->hosts[name].is_online = true;
  if (!session_->has_held_replay && clock_trust_ != ClockTrust::confirmed)
    session_->hold_replay_until = clock_.steady() + longest_wait_for_time;
  session_->has_held_replay = true;
  log_.info("host {} is online", name);
  replay_.add_all_but_flights({journal_.oldest(), journal_.head()});
}

void EdgeNode::tell_once(const std::string& what) {
  if (told_.size() < most_told && told_.insert(what).second) log_.warning("{}", what);
}

}  // namespace watchroom::agent
