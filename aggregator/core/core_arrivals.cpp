// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What a message of an edge node changes.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "aggregator/core/core.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

std::string text_of(const Metric* metric) {
  if (!metric || !metric->value) return {};
  const auto* text = std::get_if<std::string>(&*metric->value);
  return text ? *text : std::string{};
}

std::optional<std::int64_t> integer_of(const Metric* metric) {
  if (!metric || !metric->value) return std::nullopt;
  const auto* integer = std::get_if<std::int64_t>(&*metric->value);
  return integer ? std::optional{*integer} : std::nullopt;
}

/// Session, control and journal metrics are not measurements.
bool is_point(std::string_view name) {
  return name != metric_names::bd_seq && !name.starts_with("Node Control/") &&
         !name.starts_with("Device Control/") && !name.starts_with("Journal/") &&
         !name.starts_with("Properties/");
}

}  // namespace

KnownNode& Core::node_of(const NodeKey& key) {
  const auto [at, is_new] = nodes_.try_emplace(key);
  KnownNode& node = at->second;
  if (is_new) {
    node.key = key;
    node.since = clock_.now();
    SubjectAddress address;
    address.subject = Subject::agent;
    address.site = key.site;
    address.agent = key.agent;
    node.subject = engine_.subject(address);
  }
  return node;
}

KnownDevice& Core::device_of(KnownNode& node, const std::string& id) {
  const auto [at, is_new] = node.devices.try_emplace(id);
  KnownDevice& device = at->second;
  if (is_new) {
    device.about.device = id;
    if (id.empty()) device.presence = Presence::announced;  // the node itself
    device.since = clock_.now();
    device.last_report = clock_.steady();
    name_communication(node, device);
  }
  return device;
}

/// Labels and names may change with each birth; the subject stays the same.
void Core::name_subject(KnownNode& node, KnownDevice& device, KnownPoint& point) {
  point.subject = engine_.subject({Subject::point, node.key.site, node.key.agent, device.about.device,
                                   point.name, device.about.name, point.label_zh, point.label_en});
}

void Core::name_communication(KnownNode& node, KnownDevice& device) {
  device.communication_subject = engine_.subject(
      {Subject::point, node.key.site, node.key.agent, device.about.device,
       std::string{metric_names::communication_state}, device.about.name, "通信状态", "Communication"});
}

KnownPoint& Core::point_of(KnownNode& node, KnownDevice& device, const std::string& name) {
  const auto [at, is_new] = device.points.try_emplace(name);
  KnownPoint& point = at->second;
  if (is_new) {
    point.name = name;
    point.describe("", "");
    name_subject(node, device, point);
  }
  return point;
}

/// An agent that does not trust its clock says so with each reading. What is live has happened now; what
/// comes late keeps the order of its records, between what came before it and now.
void Core::settle_times(KnownNode& node, Arrival& arrival) {
  const bool is_birth = arrival.verb == Verb::nbirth || arrival.verb == Verb::dbirth;
  const bool is_data = arrival.verb == Verb::ndata || arrival.verb == Verb::ddata;
  if (!is_birth && !is_data) return;
  const Timestamp received = clock_.now();
  const Timestamp sent = arrival.payload.at.value_or(received);
  bool is_live = false, is_unsure = false;
  for (Metric& metric : arrival.payload.metrics) {
    if (!is_point(metric.name) || metric.is_unreadable) continue;
    if (is_birth || (!metric.is_historical && node.contact == Contact::online)) {
      is_live = true;
      is_unsure |= metric.is_clock_unsure;
      if (metric.is_clock_unsure) metric.at = received;
      continue;
    }
    KnownPoint& point = point_of(node, device_of(node, arrival.device), metric.name);
    const Timestamp told = metric.at.value_or(sent);
    if (metric.is_clock_unsure) metric.at = std::min(std::max(told, point.late_until), received);
    point.late_until = std::max(point.late_until, std::min(metric.at.value_or(sent), received));
  }
  if (!is_live || node.is_clock_unsure == is_unsure) return;
  node.is_clock_unsure = is_unsure;
  if (node.contact == Contact::online) revisit_agent(node);
}

void Core::expect_devices(KnownNode& node) {
  const bool is_rebirth = node.contact == Contact::online;
  node.born_at = clock_.steady();
  for (auto& [id, device] : node.devices) {
    if (id.empty() || device.presence == Presence::gone) continue;
    const bool was_there = is_rebirth && device.presence != Presence::awaited;
    device.presence = was_there ? Presence::renewing : Presence::awaited;
    if (is_rebirth) continue;
    for (auto& [name, point] : device.points)
      if (point.latest) point.late_until = std::max(point.late_until, point.latest->taken_at);
  }
}

/// What a birth leaves out is not measured any more.
void Core::forget_unannounced(KnownNode& node, KnownDevice& device, const Payload& birth) {
  for (auto& [name, point] : device.points) {
    if (birth.find(name)) continue;
    point.is_announced = false;
    dirty_points_.insert_or_assign(&point, Place{&node, &device});
    take_changes(engine_.withdraw(point.subject, no_longer_reported, now()));
  }
}

void Core::forget(KnownNode& node, KnownDevice& device) {
  log_.info("{}/{}: device \"{}\" is announced no longer", node.key.site, node.key.agent,
            device.about.device);
  device.presence = Presence::gone;
  device.last_history.reset();
  take_changes(engine_.withdraw(device.communication_subject, no_longer_reported, now()));
  forget_unannounced(node, device, {});
  dirty_nodes_.insert(&node);
}

/// A birth may be lost on its way; the host asks for it then. Who is still missing afterwards is gone, or, of
/// a foreign node that does not announce a silent device at all, dead.
void Core::look_for_missing_births(KnownNode& node) {
  constexpr auto patience = 60s;
  if (node.contact != Contact::online || clock_.steady() - node.born_at < patience) return;
  const bool is_sure = node.keeps_journal && host_.is_complete(node.key);
  for (auto& [id, device] : node.devices) {
    if (!device.is_expected()) continue;
    if (is_sure) {
      forget(node, device);
      continue;
    }
    device.presence = Presence::announced;
    if (std::exchange(device.is_alive, false)) device.since = clock_.now();
    revisit(node, device);
  }
}

void Core::take_journal_lost(KnownNode& node, const Payload& payload) {
  const auto told = integer_of(payload.find(metric_names::journal_lost));
  if (!told || *told < 0) return;
  const auto lost = static_cast<std::uint64_t>(*told);
  const auto before = std::exchange(node.journal_lost, lost);
  if (before == lost) return;
  if (lost > before.value_or(0)) node.journal_lost_at = clock_.steady();
  if (ensure_transaction() && node.id != 0) (void)stored(store_.save_journal_lost(node.id, lost));
  revisit_agent(node);
}

void Core::take_challenge(KnownNode& node, const Payload& payload) {
  const Metric* told = payload.find(metric_names::challenge);
  if (!told) return;
  node.challenge = text_of(told);
  node.challenge_at = clock_.steady();
}

void Core::arrive_node_birth(KnownNode& node, const Arrival& arrival) {
  node.name = text_of(arrival.payload.find(metric_names::name));
  node.software_version = text_of(arrival.payload.find(metric_names::version));
  const auto head = integer_of(arrival.payload.find(metric_names::journal_head));
  node.keeps_journal = head.has_value();
  if (head) node.journal_head = static_cast<std::uint64_t>(*head);
  if (arrival.journal_went_back) node.journal_restored_at = clock_.steady();
  if (ensure_transaction()) {
    const bool is_new = node.id == 0;
    if (auto id = stored(store_.save_node(node.key, node.name, node.software_version))) {
      node.id = *id;
      if (is_new) new_ids_.push_back(&node.id);
    }
  }
  take_journal_lost(node, arrival.payload);
  take_challenge(node, arrival.payload);
  expect_devices(node);
  const Timestamp sent = arrival.payload.at.value_or(clock_.now());
  KnownDevice& self = device_of(node, "");
  for (const Metric& metric : arrival.payload.metrics)
    if (is_point(metric.name)) take_metric(node, self, metric, sent, node.journal_head);
  forget_unannounced(node, self, arrival.payload);
  set_contact(node, Contact::online);
}

void Core::arrive_device_birth(KnownNode& node, const Arrival& arrival) {
  KnownDevice& device = device_of(node, arrival.device);
  device.about.class_configured.clear();
  device.about.poll_interval.reset();
  for (const Metric& metric : arrival.payload.metrics) take_device_property(device, metric);
  note_class(node, device);
  if (!device.is_alive) device.since = clock_.now();
  device.is_alive = true;
  device.presence = Presence::announced;
  device.is_overdue = false;
  name_communication(node, device);
  device.last_report = clock_.steady();
  if (save_ids(node, device)) (void)stored(store_.save_device(node.id, device.about));
  const Timestamp sent = arrival.payload.at.value_or(clock_.now());
  std::string trouble;
  for (const Metric& metric : arrival.payload.metrics) {
    if (!is_point(metric.name)) continue;
    KnownPoint& point = point_of(node, device, metric.name);
    const bool is_described = point.unit_text == metric.unit && point.states_text == metric.states &&
                              point.alarms_text == metric.alarms && point.id != 0;
    point.describe(metric.unit, metric.states, metric.label);
    name_subject(node, device, point);
    take_alarms(point, metric.alarms, trouble);
    if (!is_described && save_ids(node, device)) (void)save_point(device, point);
    take_metric(node, device, metric, sent, node.journal_head);
  }
  if (!trouble.empty())
    log_.warning("{}/{}/{}: alarms that cannot be read are ignored; {}", node.key.site, node.key.agent,
                 device.about.device, trouble);
  forget_unannounced(node, device, arrival.payload);
  revisit(node, device);
}

/// Untrusted. An announcement is looked into once; what is wrong with the first is put into `trouble`.
void Core::take_alarms(KnownPoint& point, const std::string& text, std::string& trouble) {
  static const std::string not_kept = "too long";
  const std::string& kept = text.size() > longest_alarms_text ? not_kept : text;
  if (point.alarms_text == kept) return;
  point.alarms_text = kept;
  const AnnouncedAlarms announced = alarms_from_json(text);
  if (trouble.empty() && !announced.trouble.empty())
    trouble = fmt::format("point \"{}\": {}", point.name, announced.trouble);
  take_changes(engine_.set_profile_alarms(point.subject, announced.alarms, now()));
}

bool Core::save_point(KnownDevice& device, KnownPoint& point) {
  const bool is_new = point.id == 0;
  const auto id = stored(store_.save_point(
      device.id, {0, point.name, point.unit_text, point.states_text, point.alarms_text, {}, {}}));
  if (!id) return false;
  point.id = *id;
  if (is_new) new_ids_.push_back(&point.id);
  return true;
}

void Core::take_device_property(KnownDevice& device, const Metric& metric) {
  StoredDevice& about = device.about;
  if (metric.name == metric_names::name) about.name = text_of(&metric);
  if (metric.name == metric_names::maker) about.maker = text_of(&metric);
  if (metric.name == metric_names::model) about.model = text_of(&metric);
  if (metric.name == metric_names::resource_class) about.resource_class = text_of(&metric);
  if (metric.name == metric_names::class_configured) about.class_configured = text_of(&metric);
  if (metric.name == metric_names::poll_interval) {
    const auto interval = integer_of(&metric);
    about.poll_interval.reset();
    if (interval && *interval > 0 && *interval <= 86'400'000)
      about.poll_interval = std::chrono::milliseconds{*interval};
  }
  if (metric.name == metric_names::max_silence) {
    const auto seconds = integer_of(&metric);
    about.max_silence.reset();
    if (seconds && *seconds > 0 && *seconds <= 86'400) about.max_silence = std::chrono::seconds{*seconds};
  }
}

Reading Core::reading_of(const Metric& metric, Timestamp fallback_time) const {
  Reading reading{metric.value, metric.quality, metric.at.value_or(fallback_time), metric.is_clock_unsure};
  if (!reading.value && reading.quality == Quality::good) reading.quality = Quality::stale;
  if (reading.quality != Quality::good) reading.value.reset();
  return reading;
}

/// The newest known value of a point. What is told late does not undo what is known; what is told live, or in
/// a birth, is true now whatever the agent's clock says: it may have been set back.
bool Core::take_metric(KnownNode& node, KnownDevice& device, const Metric& metric, Timestamp fallback_time,
                       std::uint64_t record, bool follows_newest) {
  if (metric.is_unreadable) return false;
  KnownPoint& point = point_of(node, device, metric.name);
  const Reading reading = reading_of(metric, fallback_time);
  // A record that was lost on its way and sent again is marked historical, and may still be the newest there
  // is.
  const bool is_later_record = record > point.latest_record || follows_newest;
  const bool may_be_newest = point.latest && reading.taken_at > point.latest->taken_at && is_later_record;
  if (metric.is_historical && (!may_be_newest || device.is_expected())) return false;
  point.is_announced = true;
  point.latest = reading;
  point.latest_record = record;
  if (reading.quality == Quality::good) point.latest_good = reading;
  if (metric.name == metric_names::communication_state && reading.value) {
    const auto code = number_of(*reading.value);
    const auto state = code ? communication_from(static_cast<std::int64_t>(*code)) : std::nullopt;
    if (state && *state != device.communication) {
      device.communication = *state;
      device.since = clock_.now();
    }
  }
  if (metric.name == metric_names::communication_text) device.communication_text = text_of(&metric);
  return true;
}

void Core::arrive_data(KnownNode& node, const Arrival& arrival, const std::string& raw) {
  if (const auto head = integer_of(arrival.payload.find(metric_names::journal_head)))
    node.journal_head = static_cast<std::uint64_t>(*head);
  take_journal_lost(node, arrival.payload);
  take_challenge(node, arrival.payload);
  const bool is_birth = arrival.verb == Verb::nbirth || arrival.verb == Verb::dbirth;
  KnownDevice& device = device_of(node, arrival.device);
  if (arrival.is_record) store_record(node, arrival, raw);
  if (is_birth) return;
  const Timestamp sent = arrival.payload.at.value_or(clock_.now());
  const std::uint64_t record = arrival.payload.journal ? arrival.payload.journal->record : node.journal_head;
  // What comes before the birth (a replay may be quicker) is history until the birth says what is true now.
  const bool is_of_now = node.contact == Contact::online;
  // What stands together in a message is true at once: first it is taken, then judged. A point that comes
  // again has changed meanwhile: what was true before is judged first, it may be an alarm that came and went.
  std::vector<KnownPoint*> fresh;
  std::unordered_set<const KnownPoint*> seen, taken;
  for (const Metric& metric : arrival.payload.metrics) {
    if (!is_point(metric.name) || metric.is_unreadable) continue;
    KnownPoint& point = point_of(node, device, metric.name);
    if (!seen.insert(&point).second) {
      judge(node, device, std::exchange(fresh, {}));
      seen = {&point};
    }
    if (is_of_now && take_metric(node, device, metric, sent, record, taken.contains(&point))) {
      fresh.push_back(&point);
      taken.insert(&point);
    } else if (metric.is_historical || !is_of_now) {
      look_back(device, point, reading_of(metric, sent));
    }
  }
  judge(node, device, fresh);
}

/// What data have just told of a device.
void Core::judge(KnownNode& node, KnownDevice& device, const std::vector<KnownPoint*>& fresh) {
  if (fresh.empty()) return;
  // Data are a sign of life, whatever became of the birth.
  const bool was_doubted = device.is_overdue || !device.is_alive || device.presence != Presence::announced;
  device.is_overdue = false;
  device.is_alive = true;
  device.presence = Presence::announced;
  device.last_report = clock_.steady();
  const bool talks_of_communication = std::any_of(fresh.begin(), fresh.end(), [](const KnownPoint* point) {
    return point->name == metric_names::communication_state;
  });
  if (talks_of_communication || was_doubted)
    revisit(node, device);
  else
    for (KnownPoint* point : fresh) observe(node, device, *point);
}

/// Late readings are judged on their own time, apart from what is true now: an alarm that came and went while
/// nobody could hear it must still be told, once, as past.
void Core::look_back(KnownDevice& device, const KnownPoint& point, const Reading& reading) {
  device.last_history = clock_.steady();
  take_changes(engine_.observe_past(point.subject, past_situation_of(point, reading), reading.taken_at));
}

void Core::store_record(KnownNode& node, const Arrival& arrival, const std::string& raw) {
  KnownDevice& device = device_of(node, arrival.device);
  if (!save_ids(node, device)) return;
  InboxRow row{node.id, arrival.device, arrival.payload.journal, arrival.generation, clock_.now(), raw};
  const auto saved = stored(store_.save_record(row, clock_.now()));
  if (!saved || !*saved) return;
  ++records_;
  const Timestamp sent = arrival.payload.at.value_or(clock_.now());
  for (std::size_t i = 0; i < arrival.payload.metrics.size(); ++i) {
    const Metric& metric = arrival.payload.metrics[i];
    if (!is_point(metric.name) || metric.is_unreadable) continue;
    KnownPoint& point = point_of(node, device, metric.name);
    if (point.id == 0 && !save_point(device, point)) return;
    if (!stored(store_.save_sample(point.id, **saved, i, reading_of(metric, sent)))) return;
    ++readings_;
  }
}

}  // namespace watchroom::aggregator
