// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/edge_node.hpp"

#include <algorithm>
#include <utility>

#include "agent/report/reporter.hpp"

namespace watchroom::agent {
namespace {

// At a first start every device is found out about, one after the other.
constexpr std::chrono::seconds births_kept_after{10};

}  // namespace

EdgeNode::EdgeNode(EdgeNodeSettings settings, const DeviceList& devices, Journal& journal, const Clock& clock,
                   Log log)
    : settings_{std::move(settings)},
      journal_{journal},
      clock_{clock},
      log_{std::move(log)},
      configured_{devices.size()},
      journal_id_{journal.id()},
      replay_{journal, settings_.replay_records_per_s},
      random_{settings_.random_seed + 1} {
  for (const auto& device : devices) devices_.push_back({.id = device->id, .now = DeviceNow{device}});
  restore_retired();
  if (settings_.ack_hosts.empty())
    log_.warning(
        "no ack_hosts: records are deleted once they were published; what a broken connection swallows is "
        "lost");
}

MqttMessage EdgeNode::will(SessionNumber session) {
  if (session != will_session_) {
    will_session_ = session;
    bd_seq_ = journal_.step_bd_seq();
  }
  return {topic(Verb::ndeath).str(), encode(node_death(bd_seq_, clock_.now()), WithDatatypes::yes),
          Qos::at_least_once, false};
}

void EdgeNode::connected(SessionNumber session) {
  session_ = Session{.number = session};
  out_ = {.session = session};
  out_.subscriptions.push_back(topic(Verb::ncmd).str());
  // Each device's class can be changed.
  out_.subscriptions.push_back(topic(Verb::dcmd, "+").str());
  for (const std::string& host : settings_.ack_hosts) {
    session_->hosts[host] = {};
    out_.subscriptions.push_back(state_topic(host));
  }
  told_.clear();
  replay_.clear();
  replay_.add({journal_.oldest(), journal_.last_appended()});
  send_births();
  is_replaying_ = !replay_.is_drained();
  log_.info("connected, bdSeq {}; {} records to send from before", bd_seq_,
            is_replaying_ ? replay_.waiting() : 0);
}

void EdgeNode::disconnected(SessionNumber session, const std::string& reason) {
  if (!session_ || session_->number != session) {
    if (reason != last_reason_) log_.warning("no connection: {}", reason);
    last_reason_ = reason;
    return;
  }
  last_reason_.clear();
  log_.warning("the connection is lost: {}", reason);
  session_.reset();
  out_ = {};
  for (Device& device : devices_) device.is_born = false;
}

void EdgeNode::redescribed(std::size_t index, std::shared_ptr<const DeviceDescription> description) {
  Device& device = devices_.at(index);
  device.now.describe(std::move(description));
  if (!keep_births_at_) keep_births_at_ = clock_.steady() + births_kept_after;
  // Points that went are announced until their records are gone.
  if (device.now.has_kept()) {
    has_retired_ = true;
    retired_until_ = journal_.last_appended();
  }
  if (session_ && !session_->rebirth_at && device.is_born) send_device_birth(device);
}

void EdgeNode::reconfigured(const DeviceList& devices) {
  std::vector<Device> before = std::exchange(devices_, {});
  const auto was = [&](const std::string& id) {
    return std::find_if(before.begin(), before.end(), [&](const Device& one) { return one.id == id; });
  };
  for (const auto& description : devices) {
    const auto known = was(description->id);
    devices_.push_back(known == before.end() ? Device{.id = description->id} : std::move(*known));
    if (known != before.end()) before.erase(known);
    devices_.back().now.describe(description);
  }
  configured_ = devices_.size();
  for (Device& gone : before) {
    gone.now.describe(nullptr);
    gone.is_lost = true;
    devices_.push_back(std::move(gone));
  }
  has_retired_ = true;
  retired_until_ = journal_.last_appended();
  keep_births();
  if (session_) ask_for_rebirth();
}

void EdgeNode::clock_moved(std::chrono::milliseconds by, ClockTrust trust) {
  clock_trust_ = trust;
  for (Device& device : devices_) device.now.shift(by);
}

void EdgeNode::polled(const PollResult& polled, std::optional<std::uint64_t> record) {
  Device& device = devices_.at(polled.device);
  device.now.take(polled);
  device.is_lost = is_lost(polled);
  if (record) device.last_record = *record;
}

void EdgeNode::told(std::size_t index, const std::vector<Metric>& metrics, std::uint64_t record) {
  Device& device = devices_.at(index);
  device.now.take_event(metrics);
  device.last_record = record;
}

void EdgeNode::committed(const std::vector<JournalRecord>& records) {
  start_over_with_new_journal();
  if (!session_) return;
  for (const JournalRecord& record : records) {
    if (session_->rebirth_at || record.number <= session_->birth_barrier)
      replay_.add({record.number, record.number});
    else
      send_record(record, Replay::Kind::live);
  }
}

void EdgeNode::not_committed(const std::deque<JournalRecord>& waiting) {
  start_over_with_new_journal();
  if (!session_ || session_->rebirth_at) return;
  for (const JournalRecord& record : waiting) {
    if (record.number <= session_->birth_barrier) continue;
    session_->birth_barrier = record.number;
    replay_.add({record.number, record.number});
    auto payload = decode(record.payload);
    if (!payload) continue;
    Device* device = record.device.empty() ? nullptr : &announced(record.device, payload->metrics);
    send_data(device, *std::move(payload), 0);
  }
}

void EdgeNode::tick() {
  start_over_with_new_journal();
  if (has_retired_ && journal_.oldest() > retired_until_) drop_retired();
  if (keep_births_at_ && *keep_births_at_ <= clock_.steady()) keep_births();
  if (!session_) return;
  const Steady now = clock_.steady();
  const auto is_due = [now](const std::optional<Steady>& at) { return at && *at <= now; };
  if (is_due(session_->rebirth_at) || is_due(session_->voluntary_rebirth_at)) send_births();
  if (session_->rebirth_at) return;
  if (is_due(session_->hold_replay_until)) session_->hold_replay_until.reset();
  replay_some();
  settle_deaths();
  if (session_->heartbeat_at <= now || session_->told.is_trouble_beside(facts())) send_heartbeat();
}

void EdgeNode::send_heartbeat() {
  session_->heartbeat_at = clock_.steady() + heartbeat_interval;
  session_->told = facts();
  send(topic(Verb::ndata), heartbeat(session_->told, new_challenge(), clock_.now()), WithDatatypes::no);
}

std::string EdgeNode::new_challenge() const { return settings_.challenge ? settings_.challenge() : ""; }

void EdgeNode::stop() {
  if (!session_) return;
  // The QoS of a published NDEATH is open (only the will's is fixed); passive checkers want 1.
  out_.messages.push_back(
      {{topic(Verb::ndeath).str(), encode(node_death(bd_seq_, clock_.now()), WithDatatypes::yes),
        Qos::at_least_once, false}});
  session_.reset();
}

Outgoing EdgeNode::take() {
  Outgoing taken = std::move(out_);
  out_ = {.session = taken.session};
  return taken;
}

void EdgeNode::published(std::uint64_t record) {
  if (settings_.ack_hosts.empty()) journal_.published(record);
}

std::optional<Steady> EdgeNode::deadline() const {
  if (!session_) return std::nullopt;
  if (session_->rebirth_at) return session_->rebirth_at;
  Steady due = session_->heartbeat_at;
  if (session_->hold_replay_until) due = std::min(due, *session_->hold_replay_until);
  if (session_->voluntary_rebirth_at) due = std::min(due, *session_->voluntary_rebirth_at);
  if (const auto replay = replay_.deadline(is_replay_paused(), online_hosts())) due = std::min(due, *replay);
  return due;
}

// ---- births and deaths

void EdgeNode::send_births() {
  Session& session = *session_;
  session.rebirth_at.reset();
  session.voluntary_rebirth_at.reset();
  session.born_at = clock_.steady();
  session.heartbeat_at = session.born_at + heartbeat_interval;
  session.next_seq = 0;  // topics-nbirth-seq-num
  // What is not yet on disk is older than what the births say: it goes by replay.
  session.birth_barrier = journal_.last_appended();
  journal_.seal();
  replay_.add({journal_.head() + 1, session.birth_barrier});

  const Timestamp now = clock_.now();
  session.told = facts();
  send(topic(Verb::nbirth),
       node_birth(bd_seq_, settings_.name, heartbeat_interval, session.told, new_challenge(), now),
       WithDatatypes::yes);
  for (Device& device : devices_) send_device_birth(device);
  for (Device& device : devices_)
    if (device.is_lost) send_device_death(device);
}

void EdgeNode::send_device_birth(Device& device) {
  device.is_born = true;
  device.is_revived = device.is_lost;
  Payload birth = device.now.birth(clock_.now());
  for (Metric& metric : birth.metrics) metric.is_clock_unsure = clock_trust_ == ClockTrust::unsure;
  send(topic(Verb::dbirth, device.id), std::move(birth), WithDatatypes::yes);
}

void EdgeNode::send_device_death(Device& device) {
  device.is_born = false;
  Payload death;
  death.at = clock_.now();
  send(topic(Verb::ddeath, device.id), std::move(death), WithDatatypes::no);
}

void EdgeNode::settle_deaths() {
  const bool nothing_pending = is_replay_paused() || replay_.is_drained();
  for (Device& device : devices_) {
    if (!device.is_born || !device.is_lost) continue;
    // First the record that says so, then the death; what was born for a replay dies when that is over.
    const bool record_is_pending = device.last_record > std::max(journal_.head(), session_->birth_barrier);
    if (record_is_pending || (device.is_revived && !nothing_pending)) continue;
    send_device_death(device);
  }
}

EdgeNode::Device& EdgeNode::found_or_retired(const std::string& id) {
  const auto found =
      std::find_if(devices_.begin(), devices_.end(), [&](const Device& device) { return device.id == id; });
  if (found != devices_.end()) return *found;
  devices_.push_back({.id = id, .is_lost = true});
  return devices_.back();
}

/// The device, with all of `metrics` announced: those it does not have are added and a birth goes out before
/// them. A device that is not configured is made up.
EdgeNode::Device& EdgeNode::announced(const std::string& id, const std::vector<Metric>& metrics) {
  Device& device = found_or_retired(id);
  for (const Metric& metric : metrics) {
    if (device.now.announces(metric.name)) continue;
    Metric kept{.name = metric.name, .quality = Quality::stale, .unit = metric.unit};
    if (kept.unit.empty() && metric.value && !std::holds_alternative<double>(*metric.value))
      kept.unit = std::holds_alternative<std::string>(*metric.value) ? "text" : "count";
    device.now.keep_announced(std::move(kept));
    device.is_born = false;
    has_retired_ = true;
    retired_until_ = std::max(retired_until_, journal_.head());
  }
  if (!device.is_born) send_device_birth(device);
  return device;
}

/// Metrics and devices that were removed from the configuration stay announced until their records are gone.
void EdgeNode::restore_retired() {
  retired_until_ = journal_.head();
  if (journal_.oldest() <= retired_until_) {
    for (const auto& [id, bytes] : journal_.announced()) {
      const auto birth = decode(bytes);
      if (!birth) continue;
      Device& device = found_or_retired(id);
      for (const Metric& metric : birth->metrics) {
        if (device.now.announces(metric.name)) continue;
        device.now.keep_announced(metric);
        has_retired_ = true;
      }
    }
  }
  keep_births();
}

void EdgeNode::keep_births() {
  keep_births_at_.reset();
  const bool are_kept = journal_.store_announced(devices_.size(), [this](std::size_t i) {
    return std::pair{devices_[i].id, devices_[i].now.kept_birth()};
  });
  if (!are_kept) keep_births_at_ = clock_.steady() + births_kept_after;
}

void EdgeNode::drop_retired() {
  has_retired_ = false;
  const bool had_devices = devices_.size() > configured_;
  for (std::size_t i = configured_; i < devices_.size(); ++i)
    if (session_ && devices_[i].is_born) send_device_death(devices_[i]);
  devices_.erase(devices_.begin() + static_cast<std::ptrdiff_t>(configured_), devices_.end());
  for (Device& device : devices_) {
    if (!device.now.has_kept()) continue;
    device.now.forget_kept();
    if (session_ && !had_devices && !session_->rebirth_at && device.is_born) send_device_birth(device);
  }
  keep_births();
  // A death only says that a device is lost; that it is none of ours any more is told by births without it.
  if (session_ && had_devices) ask_for_rebirth();
}

// ---- data

void EdgeNode::send_record(const JournalRecord& record, Replay::Kind kind) {
  replay_.note_sent(record.number, kind, clock_.steady());
  auto payload = decode(record.payload);
  if (!payload) {
    log_.error("record {} cannot be read back: {}", record.number, payload.error().text);
    return;
  }
  const ClockCorrection correction = journal_.correction(record);
  for (Metric& metric : payload->metrics) {
    metric.is_historical = kind == Replay::Kind::replayed;
    metric.is_clock_unsure = correction.is_unsure;
    if (metric.at) *metric.at += correction.by;
  }
  payload->journal = JournalStamp{journal_.id(), record.number, journal_.oldest()};
  Device* device = record.device.empty() ? nullptr : &announced(record.device, payload->metrics);
  send_data(device, *std::move(payload), record.number);
}

void EdgeNode::send_data(Device* device, Payload payload, std::uint64_t record) {
  payload.at = clock_.now();
  send(device ? topic(Verb::ddata, device->id) : topic(Verb::ndata), std::move(payload), WithDatatypes::no,
       record);
}

void EdgeNode::send(const Topic& to, Payload payload, WithDatatypes datatypes, std::uint64_t record) {
  payload.seq = session_->next_seq++;  // 255 is followed by 0
  out_.messages.push_back({{to.str(), encode(payload, datatypes)}, record});
}

void EdgeNode::replay_some() {
  const auto hosts = online_hosts();
  const Steady now = clock_.steady();
  replay_.expire(now, hosts);
  if (is_replay_paused()) return;
  const auto records = replay_.take(now, hosts);
  if (!records) {
    tell_once(fmt::format("the journal cannot be read: {}", records.error().text));
    return;
  }
  for (const JournalRecord& record : *records) send_record(record, Replay::Kind::replayed);
  if (is_replaying_ && replay_.is_drained()) {
    is_replaying_ = false;
    log_.info("what was waiting has been sent");
  }
}

void EdgeNode::start_over_with_new_journal() {
  if (journal_.id() == journal_id_) return;
  journal_id_ = journal_.id();
  retired_until_ = 0;
  replay_.clear();
  for (Device& device : devices_) device.last_record = 0;
  if (!session_) return;
  replay_.add({journal_.oldest(), journal_.last_appended()});
  send_births();
}

bool EdgeNode::is_replay_paused() const {
  if (session_ && session_->hold_replay_until) return true;
  return !settings_.ack_hosts.empty() && online_hosts().empty();
}

std::vector<std::string> EdgeNode::online_hosts() const {
  std::vector<std::string> online;
  if (session_)
    for (const auto& [name, host] : session_->hosts)
      if (host.is_online.value_or(false)) online.push_back(name);
  return online;
}

Topic EdgeNode::topic(Verb verb, const std::string& device) const {
  return {settings_.group, verb, settings_.node, device};
}

JournalFacts EdgeNode::facts() const {
  return {.id = to_hex(journal_.id()),
          .head = journal_.head(),
          .oldest = journal_.oldest(),
          .lost = journal_.lost(),
          .health = journal_.health(),
          .moved_aside = journal_.moved_aside(),
          .dropped_polls = dropped_polls_};
}

}  // namespace watchroom::agent
