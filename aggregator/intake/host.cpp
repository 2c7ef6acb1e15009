// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/intake/host.hpp"

#include <algorithm>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

/// How long after connecting a known node is left to announce itself before it is asked.
constexpr auto birth_patience = 3s;
constexpr auto look_interval = 250ms;
/// mosquitto 2.0 drops what anybody publishes, and acknowledges it, while it could not read its rules anew.
constexpr auto echo_patience = 5s;

std::optional<std::int64_t> integer_metric(const Payload& payload, std::string_view name) {
  const Metric* metric = payload.find(name);
  if (!metric || !metric->value) return std::nullopt;
  const auto* integer = std::get_if<std::int64_t>(&*metric->value);
  return integer ? std::optional{*integer} : std::nullopt;
}

}  // namespace

void IntakeSettings::read(const SettingsTable& table) {
  reorder_timeout = table.duration(
      "reorder_timeout_ms",
      {.help = "How long a gap in a node's numbers may stay open before it is asked for a rebirth",
       .fallback = 2s,
       .least = 100ms,
       .most = 60s});
  rebirth_interval =
      table.duration("rebirth_interval_s", {.help = "Shortest time between two rebirth requests to one node",
                                            .fallback = 10s,
                                            .least = 1s,
                                            .most = 1h});
  rebirths_per_s = table.number("rebirths_per_s", {.help = "Rebirth requests a second to all nodes together",
                                                   .fallback = 20,
                                                   .least = 0.1,
                                                   .most = 10'000});
  ack_interval = table.duration("ack_interval_ms",
                                {.help = "Shortest time between two journal acknowledgements to one node",
                                 .fallback = 1s,
                                 .least = 50ms,
                                 .most = 5s});
  table.finish();
}

Host::Host(IntakeSettings settings, Log log) : settings_{std::move(settings)}, log_{std::move(log)} {}

void Host::know(const NodeKey& node) { (void)node_of(node); }

void Host::restore(const NodeKey& key, const JournalLedger& ledger) {
  Node& node = node_of(key);
  node.keeps_journal = true;
  node.journal = ledger.journal();
  node.journals[ledger.journal()] = Kept{ledger, ledger, false};
}

std::vector<std::string> Host::subscriptions() const {
  // One a verb: "spBv1.0/#" would send every command back to us.
  return {state_topic(settings_.host_id), "spBv1.0/+/NBIRTH/+",   "spBv1.0/+/NDEATH/+", "spBv1.0/+/NDATA/+",
          "spBv1.0/+/DBIRTH/+/+",         "spBv1.0/+/DDEATH/+/+", "spBv1.0/+/DDATA/+/+"};
}

MqttMessage Host::state_message(bool online, std::int64_t timestamp_ms) const {
  return {state_topic(settings_.host_id), HostState{online, timestamp_ms}.str(), Qos::at_least_once, true};
}

void Host::connected(std::int64_t state_timestamp_ms, Steady now) {
  connected_ = true;
  state_timestamp_ms_ = state_timestamp_ms;
  state_unheard_since_ = now;
  is_state_missed_ = false;
  connected_at_ = now;
  tokens_at_ = now;
  waiting_for_births_ = true;
}

void Host::disconnected() {
  connected_ = false;
  for (auto& [key, node] : nodes_) {
    node.contact = Contact::unknown;
    node.is_born = false;
    node.born_devices.clear();
    node.rebirth_wanted = false;
    node.ack_wanted = false;
  }
}

std::optional<Arrival> Host::receive(std::string_view topic, std::string_view payload, Steady now) {
  if (host_of_state_topic(topic) == settings_.host_id) {
    receive_state(payload);
    return std::nullopt;
  }
  auto parsed = Topic::parse(topic);
  if (!parsed || parsed->verb == Verb::ncmd || parsed->verb == Verb::dcmd) return std::nullopt;
  Arrival arrival;
  arrival.verb = parsed->verb;
  arrival.node = {std::move(parsed->group), std::move(parsed->node)};
  arrival.device = std::move(parsed->device);
  Node& node = node_of(arrival.node);
  node.last_heard = now;
  auto decoded = decode(payload);
  if (!decoded) {
    if (++node.counters.decode_errors == 1) log_.warning("{}: {}", topic, decoded.error().text);
    want_rebirth(node, "a payload that cannot be read");
    return std::nullopt;
  }
  arrival.payload = *std::move(decoded);
  // Only DATA are journal records: a stamp elsewhere would pass the ledger by.
  if (arrival.verb != Verb::ndata && arrival.verb != Verb::ddata) arrival.payload.journal.reset();
  switch (arrival.verb) {
    case Verb::nbirth: return accept_node_birth(node, std::move(arrival), now);
    case Verb::ndeath: return accept_node_death(node, std::move(arrival));
    case Verb::dbirth: return accept_device_birth(node, std::move(arrival), now);
    case Verb::ddeath: return accept_device_death(node, std::move(arrival), now);
    default: return accept_data(node, std::move(arrival), now);
  }
}

std::optional<Arrival> Host::accept_node_birth(Node& node, Arrival arrival, Steady now) {
  const auto bd_seq = integer_metric(arrival.payload, metric_names::bd_seq);
  const bool is_rebirth = node.is_born && node.bd_seq == bd_seq;
  node.bd_seq = bd_seq;
  const auto heartbeat = integer_metric(arrival.payload, metric_names::heartbeat);
  node.heartbeat.reset();
  if (heartbeat && *heartbeat > 0 && *heartbeat <= 86'400) node.heartbeat = std::chrono::seconds{*heartbeat};
  node.is_born = true;
  node.contact = Contact::online;
  node.sequence.start(arrival.payload.seq.value_or(0));
  node.aliases.clear();
  node.integer_types.clear();
  node.born_devices.clear();
  node.rebirth_wanted = false;
  if (!is_rebirth)
    log_.info("{}/{}: born, bdSeq {}", arrival.node.site, arrival.node.agent, bd_seq.value_or(-1));
  learn_names(node, arrival);
  watch_for_clones(node, arrival.payload, now);
  arrival.journal_went_back = !adopt_journal(node, arrival.node, arrival.payload);
  // A node without journal tells its first values here and nowhere else.
  arrival.is_record = !node.keeps_journal;
  return arrival;
}

void Host::watch_for_clones(Node& node, const Payload& birth, Steady now) {
  const Metric* id = birth.find(metric_names::journal_id);
  const auto* text = id && id->value ? std::get_if<std::string>(&*id->value) : nullptr;
  const auto journal = text ? journal_id_from_hex(*text) : std::nullopt;
  const auto head = integer_metric(birth, metric_names::journal_head);
  // A foreign node begins with bdSeq 0 at each start, and has nothing else to be known by.
  if (journal && head) node.clones.born(*journal, static_cast<std::uint64_t>(*head), node.bd_seq, now);
}

bool Host::adopt_journal(Node& node, const NodeKey& key, const Payload& birth) {
  const auto head = integer_metric(birth, metric_names::journal_head);
  node.keeps_journal = head.has_value();
  node.last_ack.reset();
  const Metric* id = birth.find(metric_names::journal_id);
  const auto* id_text = id && id->value ? std::get_if<std::string>(&*id->value) : nullptr;
  if (const auto announced = id_text ? journal_id_from_hex(*id_text) : std::nullopt)
    use_journal(node, key, *announced);
  Kept* kept = journal_of(node);
  if (!head || !kept) return true;
  const bool went_back = static_cast<std::uint64_t>(*head) < kept->ledger.highest();
  if (went_back) {
    log_.error("{}/{}: its journal stands at {} but {} was stored already: an image was restored there",
               key.site, key.agent, *head, kept->ledger.highest());
    kept->ledger = JournalLedger{kept->ledger.journal(), kept->ledger.generation() + 1};
    kept->has_changed = true;
  }
  const auto oldest = integer_metric(birth, metric_names::journal_oldest);
  if (oldest && *oldest > static_cast<std::int64_t>(kept->ledger.cumulative()) + 1) {
    kept->ledger.give_up_below(static_cast<std::uint64_t>(*oldest));
    kept->has_changed = true;
  }
  node.ack_wanted = true;  // hello
  return !went_back;
}

void Host::use_journal(Node& node, const NodeKey& key, const JournalId& id) {
  if (node.journal == id) return;
  if (node.journal) log_.warning("{}/{}: another journal, {}", key.site, key.agent, to_hex(id));
  const JournalLedger fresh{id, 0};
  node.journals.try_emplace(id, Kept{fresh, fresh, true});
  node.journal = id;
}

std::optional<Arrival> Host::accept_node_death(Node& node, Arrival arrival) {
  // Only the death of the current session counts; an older will may come late.
  if (!node.is_born || integer_metric(arrival.payload, metric_names::bd_seq) != node.bd_seq)
    return std::nullopt;
  node.is_born = false;
  node.clones.died();
  node.contact = Contact::offline;
  node.born_devices.clear();
  log_.info("{}/{}: gone", arrival.node.site, arrival.node.agent);
  return arrival;
}

std::optional<Arrival> Host::accept_device_birth(Node& node, Arrival arrival, Steady now) {
  if (!node.is_born) {
    want_rebirth(node, "a device birth before the node's");
    return std::nullopt;
  }
  note_sequence(node, arrival.payload, now);
  learn_names(node, arrival);
  node.born_devices.insert(arrival.device);
  arrival.is_record = !node.keeps_journal;
  return arrival;
}

std::optional<Arrival> Host::accept_device_death(Node& node, Arrival arrival, Steady now) {
  if (!node.is_born) {
    want_rebirth(node, "a device death before the node's birth");
    return std::nullopt;
  }
  note_sequence(node, arrival.payload, now);
  if (node.born_devices.erase(arrival.device) == 0) return std::nullopt;
  return arrival;
}

std::optional<Arrival> Host::accept_data(Node& node, Arrival arrival, Steady now) {
  if (!node.is_born) want_rebirth(node, "data before a birth");
  if (node.is_born) note_sequence(node, arrival.payload, now);
  if (!resolve_aliases(node, arrival.payload)) want_rebirth(node, "an alias that no birth announced");
  apply_integer_types(node, arrival);
  if (node.is_born && !arrival.device.empty() && !node.born_devices.contains(arrival.device))
    want_rebirth(node, "data of a device that was not born");
  if (arrival.payload.journal) {
    if (!note_record(node, arrival.node, *arrival.payload.journal)) return std::nullopt;
    arrival.is_record = true;
    arrival.generation = journal_of(node)->ledger.generation();
    ++node.counters.records;
    return arrival;
  }
  // A journal's owner sends heartbeats without a stamp: these are news, not history.
  arrival.is_record = !node.keeps_journal && !arrival.payload.metrics.empty();
  if (arrival.is_record) ++node.counters.records;
  return arrival;
}

bool Host::note_record(Node& node, const NodeKey& key, const JournalStamp& stamp) {
  use_journal(node, key, stamp.journal_id);
  node.keeps_journal = true;
  node.ack_wanted = true;
  Kept& kept = *journal_of(node);
  if (kept.ledger.note(stamp.record, stamp.oldest_available) == JournalLedger::Outcome::duplicate) {
    ++node.counters.duplicates;
    return false;
  }
  kept.has_changed = true;
  return true;
}

void Host::learn_names(Node& node, const Arrival& birth) {
  auto& types = node.integer_types[birth.device];
  types.clear();
  for (const Metric& metric : birth.payload.metrics) {
    if (metric.alias && !metric.name.empty()) node.aliases[*metric.alias] = metric.name;
    if (metric.integer_type) types[metric.name] = *metric.integer_type;
  }
}

void Host::apply_integer_types(const Node& node, Arrival& data) const {
  const auto types = node.integer_types.find(data.device);
  if (types == node.integer_types.end() || types->second.empty()) return;
  for (Metric& metric : data.payload.metrics)
    if (const auto type = types->second.find(metric.name); type != types->second.end())
      read_as(type->second, metric);
}

bool Host::resolve_aliases(Node& node, Payload& payload) const {
  bool is_complete = true;
  for (Metric& metric : payload.metrics) {
    if (!metric.name.empty()) continue;
    const auto known = metric.alias ? node.aliases.find(*metric.alias) : node.aliases.end();
    if (known != node.aliases.end())
      metric.name = known->second;
    else
      is_complete = false;
  }
  std::erase_if(payload.metrics, [](const Metric& metric) { return metric.name.empty(); });
  return is_complete;
}

void Host::note_sequence(Node& node, const Payload& payload, Steady now) {
  if (payload.seq && node.sequence.note(*payload.seq, now)) ++node.counters.gaps;
}

void Host::want_rebirth(Node& node, std::string_view reason) {
  node.rebirth_wanted = true;
  node.rebirth_reason = reason;
}

void Host::receive_state(std::string_view payload) {
  const auto state = HostState::parse(payload);
  if (!state) return;
  if (state->online) {
    if (state->timestamp_ms != state_timestamp_ms_) return;
    state_unheard_since_.reset();
    if (std::exchange(is_state_missed_, false)) log_.info("the broker has our STATE");
    return;
  }
  if (state->timestamp_ms > state_timestamp_ms_) {
    // Answering would start a fight without end.
    log_.error("another host runs under our id \"{}\": give each its own host_id", settings_.host_id);
    return;
  }
  state_wanted_ = true;
}

std::vector<std::pair<NodeKey, const JournalLedger*>> Host::changed_ledgers() const {
  std::vector<std::pair<NodeKey, const JournalLedger*>> changed;
  for (const auto& [key, node] : nodes_)
    for (const auto& [id, kept] : node.journals)
      if (kept.has_changed) changed.emplace_back(key, &kept.ledger);
  return changed;
}

void Host::committed() {
  for (auto& [key, node] : nodes_)
    for (auto& [id, kept] : node.journals)
      if (std::exchange(kept.has_changed, false)) kept.committed = kept.ledger;
}

void Host::rolled_back() {
  for (auto& [key, node] : nodes_)
    for (auto& [id, kept] : node.journals)
      if (std::exchange(kept.has_changed, false)) kept.ledger = kept.committed;
}

std::vector<MqttMessage> Host::take_commands(Timestamp wall, Steady now) {
  std::vector<MqttMessage> messages;
  if (!connected_) return messages;
  if (is_state_due(now)) messages.push_back(state_message(true, state_timestamp_ms_));
  const auto passed = std::chrono::duration<double>(now - tokens_at_).count();
  rebirth_tokens_ = std::min(settings_.rebirths_per_s, rebirth_tokens_ + passed * settings_.rebirths_per_s);
  tokens_at_ = now;
  for (auto& [key, node] : nodes_) {
    const auto gap = node.is_born ? node.sequence.gap_since() : std::nullopt;
    if (gap && now - *gap >= settings_.reorder_timeout) want_rebirth(node, "a gap in its message numbers");
    if (waiting_for_births_ && !node.is_born && now - connected_at_ >= birth_patience)
      want_rebirth(node, "not heard of since we connected");
    if (is_silent_for(node, 3, now)) want_rebirth(node, "three heartbeats have stayed away");
    const bool may_ask = !node.last_rebirth || now - *node.last_rebirth >= settings_.rebirth_interval;
    if (node.rebirth_wanted && may_ask && rebirth_tokens_ >= 1.0) {
      rebirth_tokens_ -= 1.0;
      node.rebirth_wanted = false;
      node.last_rebirth = now;
      ++node.counters.rebirths_requested;
      log_.info("{}/{}: asked for a rebirth: {}", key.site, key.agent, node.rebirth_reason);
      messages.push_back(rebirth_request(key, wall));
    }
    const bool may_ack = !node.last_ack || now - *node.last_ack >= settings_.ack_interval;
    const Kept* kept = journal_of(node);
    if (node.ack_wanted && may_ack && kept && !kept->has_changed) {
      node.ack_wanted = false;
      node.last_ack = now;
      messages.push_back(acknowledgement(key, kept->committed, wall));
    }
  }
  return messages;
}

bool Host::is_state_due(Steady now) {
  const bool is_missed = state_unheard_since_ && now - *state_unheard_since_ >= echo_patience;
  if (!std::exchange(state_wanted_, false) && !is_missed) return false;
  if (is_missed && !std::exchange(is_state_missed_, true))
    log_.warning("the broker has not sent our STATE back: it is said again every {} s until it does",
                 echo_patience.count());
  state_unheard_since_ = now;
  return true;
}

bool Host::is_silent_for(const Node& node, int heartbeats, Steady now) {
  return node.is_born && node.heartbeat && now - node.last_heard > heartbeats * *node.heartbeat;
}

std::vector<NodeKey> Host::take_given_up(Steady now) {
  std::vector<NodeKey> given_up;
  if (!connected_) return given_up;
  const bool is_wait_over = waiting_for_births_ && now - connected_at_ >= settings_.birth_wait;
  if (is_wait_over) waiting_for_births_ = false;
  for (auto& [key, node] : nodes_) {
    const bool is_missing = is_wait_over && node.contact == Contact::unknown;
    // Asked for a rebirth after three, it had one more to answer.
    const bool is_silent = is_silent_for(node, 4, now);
    if (!is_missing && !is_silent) continue;
    if (is_silent) log_.warning("{}/{}: nothing heard for four heartbeats", key.site, key.agent);
    node.is_born = false;
    node.born_devices.clear();
    node.contact = Contact::offline;
    given_up.push_back(key);
  }
  return given_up;
}

Steady Host::next_deadline(Steady now) const { return now + look_interval; }

MqttMessage Host::rebirth_request(const NodeKey& key, Timestamp wall) const {
  Payload payload;
  payload.at = wall;
  payload.metrics = {{.name = std::string{metric_names::rebirth}, .at = wall, .value = true}};
  return {Topic{key.site, Verb::ncmd, key.agent, ""}.str(), encode(payload, WithDatatypes::yes),
          Qos::at_most_once, false};
}

MqttMessage Host::class_command(const NodeKey& key, const std::string& device, const std::string& wanted,
                                Timestamp wall) {
  Payload payload;
  payload.at = wall;
  payload.metrics = {{.name = std::string{metric_names::resource_class}, .at = wall, .value = wanted}};
  // topics-dcmd-mqtt: QoS 0, not retained.
  return {Topic{key.site, Verb::dcmd, key.agent, device}.str(), encode(payload, WithDatatypes::yes),
          Qos::at_most_once, false};
}

MqttMessage Host::order(const NodeKey& key, const std::string& order, Timestamp wall) {
  Payload payload;
  payload.at = wall;
  payload.metrics = {{.name = std::string{metric_names::order}, .at = wall, .value = order}};
  return {Topic{key.site, Verb::ncmd, key.agent, ""}.str(), encode(payload, WithDatatypes::yes),
          Qos::at_most_once, false};
}

MqttMessage Host::acknowledgement(const NodeKey& key, const JournalLedger& committed, Timestamp wall) const {
  Payload payload;
  payload.at = wall;
  payload.metrics = {{.name = std::string{metric_names::journal_ack},
                      .at = wall,
                      .value = committed.ack(settings_.host_id).str()}};
  return {Topic{key.site, Verb::ncmd, key.agent, ""}.str(), encode(payload, WithDatatypes::yes),
          Qos::at_most_once, false};
}

Contact Host::contact(const NodeKey& key) const {
  const auto node = nodes_.find(key);
  return node == nodes_.end() ? Contact::unknown : node->second.contact;
}

bool Host::is_complete(const NodeKey& key) const {
  const auto node = nodes_.find(key);
  return node != nodes_.end() && node->second.is_born && !node->second.rebirth_wanted &&
         !node->second.sequence.gap_since();
}

CloneWatch::Finding Host::clone_finding(const NodeKey& key, Steady now) const {
  const auto node = nodes_.find(key);
  return node == nodes_.end() ? CloneWatch::Finding::unknown : node->second.clones.finding(now);
}

const IntakeCounters& Host::counters(const NodeKey& key) const {
  static const IntakeCounters none;
  const auto node = nodes_.find(key);
  return node == nodes_.end() ? none : node->second.counters;
}

const JournalLedger* Host::ledger(const NodeKey& key) const {
  const auto found = nodes_.find(key);
  if (found == nodes_.end() || !found->second.journal) return nullptr;
  return &found->second.journals.at(*found->second.journal).committed;
}

}  // namespace watchroom::aggregator
