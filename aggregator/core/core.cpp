// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/core.hpp"

#include <algorithm>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto look_interval = 1s;

}  // namespace

Core::Core(CoreSettings settings, std::vector<Rule> rules, Store store, PublishedRoom& room, Outside& outside,
           const Clock& clock, Log log)
    : settings_{std::move(settings)},
      engine_{std::move(rules)},
      store_{std::move(store)},
      room_{room},
      outside_{outside},
      clock_{clock},
      log_{std::move(log)},
      host_{settings_.intake, log_.tagged("intake")},
      wall_at_start_{clock.now()},
      steady_at_start_{clock.steady()} {}

Result<std::unique_ptr<Core>> Core::make(CoreSettings settings, std::vector<Rule> rules, Store store,
                                         PublishedRoom& room, Outside& outside, const Clock& clock, Log log) {
  std::unique_ptr<Core> core{new Core{std::move(settings), std::move(rules), std::move(store), room, outside,
                                      clock, std::move(log)}};
  if (auto loaded = core->load(); !loaded) return loaded.error();
  return core;
}

Moment Core::now() const { return {wall_at_start_ + (clock_.steady() - steady_at_start_), clock_.now()}; }

Result<void> Core::load() {
  auto alarms = store_.load_open_alarms();
  if (!alarms) return alarms.error();
  auto highest = store_.highest_alarm_id();
  if (!highest) return highest.error();
  for (const AlarmView& alarm : *alarms) {
    mail_state_[alarm.id] = alarm.mail;
    dirty_alarms_.emplace(alarm.id, alarm);
  }
  engine_.restore(*std::move(alarms), *highest);
  auto late = store_.load_late_watches();
  if (!late) return late.error();
  engine_.restore_late(*std::move(late));

  auto nodes = store_.load_nodes();
  if (!nodes) return nodes.error();
  broker_since_ = clock_.now();
  broker_reason_ = "not connected yet";
  for (const StoredNode& stored : *nodes) know_node(stored);

  auto mails = store_.load_waiting_mails();
  if (!mails) return mails.error();
  for (Mail& mail : *mails) post(std::move(mail));
  auto totals = store_.totals();
  if (!totals) return totals.error();
  records_ = stored_records_ = totals->records;
  readings_ = stored_readings_ = totals->samples;
  mails_failed_ = totals->mails_failed;

  take_changes(engine_.withdraw_orphans(now()));
  SubjectAddress broker;
  broker.subject = Subject::broker;
  broker_ = engine_.subject(broker);
  observe_centre();
  log_.info("{} agents known, {} alarms open, {} mails waiting", nodes_.size(), engine_.open().size(),
            outbox_.size());
  finish_batch();
  return {};
}

void Core::know_node(const StoredNode& stored) {
  host_.know(stored.key);
  for (const JournalLedger& ledger : stored.ledgers) host_.restore(stored.key, ledger);
  KnownNode& node = node_of(stored.key);
  node.id = stored.id;
  node.name = stored.name;
  node.software_version = stored.software_version;
  node.journal_lost = stored.journal_lost;
  for (const StoredDevice& stored_device : stored.devices) {
    KnownDevice& device = device_of(node, stored_device.device);
    device.id = stored_device.id;
    device.about = stored_device;
    device.about.points.clear();
    for (const StoredPoint& stored_point : stored_device.points) {
      KnownPoint& point = point_of(node, device, stored_point.name);
      point.id = stored_point.id;
      point.describe(stored_point.unit, stored_point.states);
      std::string told_before;
      take_alarms(point, stored_point.alarms, told_before);
      point.latest = stored_point.latest;
      point.latest_good = stored_point.latest_good;
      if (engine_.has_late(point.subject)) device.last_history = clock_.steady();
    }
  }
  revisit(node);
}

void Core::step(std::vector<CoreEvent> events) {
  for (CoreEvent& event : events) std::visit([this](auto& each) { handle(each); }, event);
  const Steady steady = clock_.steady();
  for (const NodeKey& key : host_.take_given_up(steady)) set_contact(node_of(key), Contact::offline);
  take_changes(engine_.tick(now()));
  if (steady - last_look_ >= look_interval) {
    last_look_ = steady;
    look_for_silence();
    settle_history();
    give_up_classes();
    look_at_audit();
    look_at_refusals();
    prune();
  }
  finish_batch();
}

Steady Core::next_deadline() const {
  const Steady steady = clock_.steady();
  Steady next = std::min(host_.next_deadline(steady), steady + look_interval);
  if (const auto alarm = engine_.next_deadline()) next = std::min(next, steady + (*alarm - now().steady));
  return next;
}

void Core::handle(Connected& event) {
  session_ = event.session;
  broker_connected_ = true;
  broker_since_ = clock_.now();
  broker_reason_.clear();
  log_.info("connected to the broker as host \"{}\"", settings_.intake.host_id);
  outside_.subscribe(session_, host_.subscriptions());
  outside_.publish(session_, host_.state_message(true, event.state_timestamp_ms));
  host_.connected(event.state_timestamp_ms, clock_.steady());
  observe_centre();
  for (auto& [key, node] : nodes_) revisit(node);
}

void Core::handle(Disconnected& event) {
  if (broker_connected_ || event.reason != broker_reason_)
    log_.warning("the broker is out of reach: {}", event.reason);
  broker_reason_ = event.reason;
  if (!broker_connected_) {
    observe_centre();
    return;
  }
  broker_connected_ = false;
  broker_since_ = clock_.now();
  host_.disconnected();
  observe_centre();
  for (auto& [key, node] : nodes_) set_contact(node, Contact::unknown);
}

void Core::handle(IdentityNews& event) {
  are_certificates_known_ = true;
  for (auto& [key, node] : nodes_) {
    node.certificate_until.reset();
    for (const AgentIdentity& one : event.identities)
      if (one.site == key.site && one.agent == key.agent && one.state != "revoked")
        node.certificate_until = one.valid_until;
    revisit_agent(node);
  }
  broker_files_trouble_ = event.trouble;
  if (event.endangered) endangered_ = std::move(event.endangered);
  observe_centre();
}

void Core::handle(Received& event) {
  auto arrival = host_.receive(event.topic, event.payload, clock_.steady());
  if (!arrival) {
    // A duplicate or a broken payload: only the counters have changed.
    const auto topic = Topic::parse(event.topic);
    const auto known = topic ? nodes_.find({topic->group, topic->node}) : nodes_.end();
    if (known != nodes_.end()) dirty_nodes_.insert(&known->second);
    return;
  }
  KnownNode& node = node_of(arrival->node);
  dirty_nodes_.insert(&node);
  settle_times(node, *arrival);
  switch (arrival->verb) {
    case Verb::nbirth: arrive_node_birth(node, *arrival); break;
    case Verb::ndeath: set_contact(node, Contact::offline); break;
    case Verb::dbirth: arrive_device_birth(node, *arrival); break;
    case Verb::ddeath: {
      KnownDevice& device = device_of(node, arrival->device);
      device.is_alive = false;
      device.since = clock_.now();
      revisit(node, device);
      break;
    }
    default: break;
  }
  const bool is_data = arrival->verb == Verb::ndata || arrival->verb == Verb::ddata;
  if (arrival->is_record || is_data) arrive_data(node, *arrival, event.payload);
}

void Core::observe_centre() {
  Situation situation;
  situation.contact = broker_connected_ ? Contact::online : Contact::offline;
  if (!broker_connected_ && !broker_reason_.empty()) {
    situation.reason_zh =
        fmt::format("监控中心无法连接消息服务器（{}），所有采集代理状态未知", broker_reason_);
    situation.reason_en =
        fmt::format("the centre cannot reach the broker ({}); all agents are unknown", broker_reason_);
  }
  if (!undelivered_.empty()) {
    const auto& [recipient, error] = *undelivered_.begin();
    situation.is_mail_failing = true;
    situation.mail_trouble = {
        fmt::format("发给 {} 等 {} 人的邮件无法送达：{}", recipient, undelivered_.size(), error),
        fmt::format("mail to {} ({} in all) cannot be delivered: {}", recipient, undelivered_.size(), error)};
  } else if (mails_are_known_) {
    situation.is_mail_failing = false;
  }
  if (is_audit_known_) situation.is_audit_failing = !audit_trouble_.empty();
  situation.audit_trouble = {fmt::format("审计日志异常：{}", audit_trouble_),
                             fmt::format("the audit log: {}", audit_trouble_)};
  situation.broker_files_trouble = broker_files_trouble_;
  show_own_certificates(situation);
  situation.refusals = refusals_;
  take_changes(engine_.observe(broker_, situation, now()));
}

/// Of several the one that runs out first.
void Core::show_own_certificates(Situation& situation) const {
  situation.are_own_certificates_known = endangered_.has_value();
  if (!endangered_ || endangered_->empty()) return;
  const auto first = std::min_element(endangered_->begin(), endangered_->end(),
                                      [](const auto& a, const auto& b) { return a.until < b.until; });
  situation.own_certificate_days = static_cast<double>((first->until - clock_.now()) / 1s) / 86'400.0;
  situation.own_certificate = {first->name_zh, first->name_en};
  situation.own_certificate_trouble = {first->why_zh, first->why_en};
}

void Core::look_at_audit() {
  std::string trouble = outside_.audit_trouble();
  if (is_audit_known_ && trouble == audit_trouble_) return;
  is_audit_known_ = true;
  audit_trouble_ = std::move(trouble);
  observe_centre();
}

void Core::look_at_refusals() {
  Refusals refusals = outside_.refusals();
  if (refusals_ == refusals) return;
  refusals_ = std::move(refusals);
  observe_centre();
}

void Core::set_contact(KnownNode& node, Contact contact) {
  if (node.contact != contact) {
    node.contact = contact;
    node.since = clock_.now();
  }
  dirty_nodes_.insert(&node);
  revisit(node);
}

void Core::revisit_agent(KnownNode& node) {
  constexpr auto lately = 10min;
  const auto is_recent = [&](std::optional<Steady>& at) {
    if (at && clock_.steady() - *at >= lately) at.reset();
    return at.has_value();
  };
  Situation situation;
  situation.contact = broker_connected_ ? node.contact : Contact::unknown;
  if (node.journal_lost) situation.is_journal_losing = is_recent(node.journal_lost_at);
  situation.records_lost = node.journal_lost.value_or(0);
  situation.is_clock_unsure = node.is_clock_unsure;
  situation.are_certificates_known = are_certificates_known_;
  if (node.certificate_until)
    situation.certificate_days =
        static_cast<double>((*node.certificate_until - clock_.now()) / 1s) / 86'400.0;
  situation.was_journal_restored = is_recent(node.journal_restored_at);
  node.clones = host_.clone_finding(node.key, clock_.steady());
  if (node.clones != CloneWatch::Finding::unknown)
    situation.is_cloned = node.clones == CloneWatch::Finding::cloned;
  take_changes(engine_.observe(node.subject, situation, now()));
}

void Core::revisit(KnownNode& node) {
  revisit_agent(node);
  for (auto& [id, device] : node.devices) revisit(node, device);
}

void Core::revisit(KnownNode& node, KnownDevice& device) {
  dirty_nodes_.insert(&node);
  if (!device.about.device.empty() && may_judge(node, device))
    take_changes(engine_.observe(device.communication_subject,
                                 communication_of(node, device, broker_connected_), now()));
  for (auto& [name, point] : device.points) observe(node, device, point);
}

void Core::observe(KnownNode& node, KnownDevice& device, KnownPoint& point) {
  dirty_points_.insert_or_assign(&point, Place{&node, &device});
  if (!point.is_announced || !may_judge(node, device)) return;
  if (point.subject == device.communication_subject && !device.about.device.empty()) return;
  take_changes(engine_.observe(point.subject, situation_of(node, device, point, broker_connected_), now()));
}

/// Between its node's birth and its own nothing is known of a device, neither good nor bad.
bool Core::may_judge(const KnownNode& node, const KnownDevice& device) const {
  if (device.presence == Presence::gone) return false;
  return node.contact != Contact::online || !device.is_expected();
}

void Core::look_for_silence() {
  // Three times what the agent promised, and some seconds for the way: then its silence is not news by
  // exception.
  constexpr auto grace = 5s;
  for (auto& [key, node] : nodes_) {
    const bool is_news = host_.clone_finding(key, clock_.steady()) != node.clones;
    if (node.journal_lost_at || node.journal_restored_at || is_news) revisit_agent(node);
    if (node.contact != Contact::online) continue;
    look_for_missing_births(node);
    for (auto& [id, device] : node.devices) {
      if (!device.about.max_silence || !device.is_alive || device.presence != Presence::announced) continue;
      const bool is_overdue = clock_.steady() - device.last_report > 3 * *device.about.max_silence + grace;
      if (is_overdue == device.is_overdue) continue;
      device.is_overdue = is_overdue;
      revisit(node, device);
    }
  }
}

/// A backlog comes in one stream; when it has been quiet for a while, what it told is complete. Whether it
/// still holds only a device can say that is there.
void Core::settle_history() {
  constexpr auto quiet = 15s;
  for (auto& [key, node] : nodes_) {
    if (node.contact != Contact::online) continue;
    for (auto& [id, device] : node.devices) {
      if (device.presence != Presence::announced) continue;
      if (!device.last_history || clock_.steady() - *device.last_history < quiet) continue;
      device.last_history.reset();
      for (auto& [name, point] : device.points) {
        const Timestamp known = point.latest ? point.latest->taken_at : clock_.now();
        take_changes(engine_.settle_past(point.subject, known, now()));
      }
    }
  }
}

void Core::publish() {
  const Steady steady = clock_.steady();
  constexpr auto status_interval = 1s;
  Publication publication;
  for (const auto& [point, place] : dirty_points_)
    publication.points.emplace_back(point->id,
                                    view_of(*place.node, *place.device, *point, broker_connected_));
  for (KnownNode* node : dirty_nodes_)
    publication.agents.push_back(view_of(*node, host_.counters(node->key), host_.ledger(node->key)));
  const bool has_news = !publication.points.empty() || !publication.agents.empty() || !dirty_alarms_.empty();
  if (!has_news && steady - last_status_ < status_interval) return;
  last_status_ = steady;
  for (auto& [id, alarm] : dirty_alarms_) {
    alarm.mail = mail_state_.contains(id) ? mail_state_.at(id) : "none";
    publication.alarms.push_back(alarm);
  }
  readings_at_.emplace_back(steady, readings_);
  while (readings_at_.size() > 2 && steady - readings_at_.front().first > 10s) readings_at_.pop_front();
  StatusView& status = publication.status;
  status.published_at = steady;
  const IntakeLoad load = outside_.intake_load();
  status.intake_queue = load.queue;
  status.intake_capacity = load.capacity;
  status.intake_refused = load.refused;
  status.host_id = settings_.intake.host_id;
  status.broker_connected = broker_connected_;
  status.broker_since = broker_since_;
  status.mails_waiting =
      static_cast<std::uint64_t>(std::count_if(outbox_.begin(), outbox_.end(), [](const auto& entry) {
        return entry.second.mail.state == "waiting";
      }));
  status.mails_failed = mails_failed_;
  status.records = records_;
  status.readings = readings_;
  status.store_is_failing = store_is_failing_;
  const auto span = std::chrono::duration<double>(steady - readings_at_.front().first).count();
  const std::uint64_t before = std::min(readings_, readings_at_.front().second);  // a failed batch takes back
  if (span > 0) status.readings_per_s = static_cast<double>(readings_ - before) / span;
  room_.publish(std::move(publication));
}

}  // namespace watchroom::aggregator
