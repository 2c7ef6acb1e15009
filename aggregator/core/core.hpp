// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <future>
#include <memory>
#include <variant>

#include "aggregator/audit/audit_trail.hpp"
#include "aggregator/core/inventory.hpp"
#include "aggregator/live/agent_identities.hpp"
#include "aggregator/live/endangered_certificate.hpp"
#include "aggregator/live/published_room.hpp"
#include "aggregator/live/refusals.hpp"
#include "aggregator/notify/email/email.hpp"
#include "proto/base/mailbox.hpp"

namespace watchroom::aggregator {

/// What reaches the core from other threads.
struct Connected {
  SessionNumber session;
  std::int64_t state_timestamp_ms;
};
struct Disconnected {
  std::string reason;
};
struct Received {
  std::string topic;
  std::string payload;
};
struct Acknowledge {
  std::int64_t alarm;
  std::string by, comment;
  std::unique_ptr<std::promise<Result<AlarmView>>> answer;
};
struct AskForClass {
  DevicePlace device;
  std::string wanted, by;
  std::unique_ptr<std::promise<Result<DeviceView>>> answer;
};
struct Delivered {
  std::int64_t mail;  ///< as handed over
  Result<void> result;
};
/// What the certificate authority knows of agents, what troubles it (empty: nothing), and which of the
/// centre's own certificates nobody renews (nothing: not known yet).
struct IdentityNews {
  std::vector<AgentIdentity> identities;
  std::string trouble;
  std::optional<std::vector<EndangeredCertificate>> endangered = {};
};
using CoreEvent =
    std::variant<Connected, Disconnected, Received, Acknowledge, AskForClass, Delivered, IdentityNews>;

/// How full the queue before the core is.
struct IntakeLoad {
  std::uint64_t queue = 0, capacity = 0, refused = 0;
};

/// What the core asks of the outside. Called on the core's thread, after the commit that makes it true.
class Outside {
 public:
  Outside() = default;
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  virtual ~Outside() = default;

  virtual void subscribe(SessionNumber session, const std::vector<std::string>& topics) = 0;
  virtual void publish(SessionNumber session, const MqttMessage& message) = 0;
  /// False: busy, ask again.
  virtual bool hand_over(std::int64_t mail, Notice notice) = 0;
  virtual IntakeLoad intake_load() const { return {}; }
  /// For the audit log.
  virtual void record(AuditEvent) {}
  /// Why it cannot be written; empty: it can.
  virtual std::string audit_trouble() const { return {}; }
  virtual Refusals refusals() const { return {}; }
};

struct CoreSettings {
  IntakeSettings intake;
  AlarmSettings alarms;
  std::optional<EmailSettings> email;
  std::chrono::milliseconds commit_interval{20};
  std::chrono::hours recent{48};
};

/// The middle of the aggregator: takes what came, judges it, and makes everything that follows from one batch
/// durable in one transaction: readings, how far each journal is, alarm states, mails to send. Only then it
/// acknowledges, publishes and mails. One owner thread calls `step`; all time comes in as a parameter through
/// the clock.
class Core {
 public:
  static Result<std::unique_ptr<Core>> make(CoreSettings settings, std::vector<Rule> rules, Store store,
                                            PublishedRoom& room, Outside& outside, const Clock& clock,
                                            Log log);

  /// Works off a batch and commits it.
  void step(std::vector<CoreEvent> events);
  /// When `step` is due even without events.
  Steady next_deadline() const;

 private:
  /// A mail is known by its ticket while we run: its row may come later, when the disk takes it.
  struct Posted {
    Mail mail;
    Steady posted{}, due{};
    bool is_under_way = false;
    bool is_dirty = true;  // differs from its row
  };

  Core(CoreSettings settings, std::vector<Rule> rules, Store store, PublishedRoom& room, Outside& outside,
       const Clock& clock, Log log);

  // start
  Result<void> load();
  void know_node(const StoredNode& stored);

  // events
  void handle(Connected& event);
  void handle(Disconnected& event);
  void handle(Received& event);
  void handle(Acknowledge& event);
  void handle(AskForClass& event);
  void handle(Delivered& event);
  void handle(IdentityNews& event);

  // classes
  std::vector<MqttMessage> take_class_commands();
  void give_up_classes();
  void note_class(KnownNode& node, KnownDevice& device);

  // arrivals
  void settle_times(KnownNode& node, Arrival& arrival);
  void take_alarms(KnownPoint& point, const std::string& text, std::string& trouble);
  void take_journal_lost(KnownNode& node, const Payload& payload);
  void take_challenge(KnownNode& node, const Payload& payload);
  void arrive_node_birth(KnownNode& node, const Arrival& arrival);
  void expect_devices(KnownNode& node);
  void forget_unannounced(KnownNode& node, KnownDevice& device, const Payload& birth);
  void forget(KnownNode& node, KnownDevice& device);
  void look_for_missing_births(KnownNode& node);
  void arrive_device_birth(KnownNode& node, const Arrival& arrival);
  void arrive_data(KnownNode& node, const Arrival& arrival, const std::string& raw);
  void look_back(KnownDevice& device, const KnownPoint& point, const Reading& reading);
  void store_record(KnownNode& node, const Arrival& arrival, const std::string& raw);
  /// False: it says nothing new about now.
  bool take_metric(KnownNode& node, KnownDevice& device, const Metric& metric, Timestamp fallback_time,
                   std::uint64_t record, bool follows_newest = false);
  void take_device_property(KnownDevice& device, const Metric& metric);
  Reading reading_of(const Metric& metric, Timestamp fallback_time) const;
  KnownNode& node_of(const NodeKey& key);
  KnownDevice& device_of(KnownNode& node, const std::string& id);
  KnownPoint& point_of(KnownNode& node, KnownDevice& device, const std::string& name);
  void name_subject(KnownNode& node, KnownDevice& device, KnownPoint& point);
  void name_communication(KnownNode& node, KnownDevice& device);
  void set_contact(KnownNode& node, Contact contact);
  void revisit(KnownNode& node, KnownDevice& device);
  void revisit(KnownNode& node);
  void revisit_agent(KnownNode& node);
  void observe(KnownNode& node, KnownDevice& device, KnownPoint& point);
  void judge(KnownNode& node, KnownDevice& device, const std::vector<KnownPoint*>& fresh);
  void observe_centre();
  void show_own_certificates(Situation& situation) const;
  void look_at_audit();
  void look_at_refusals();
  bool may_judge(const KnownNode& node, const KnownDevice& device) const;
  void look_for_silence();
  void settle_history();

  // alarms and mails
  void take_changes(std::vector<AlarmChange> changes);
  void note_step(AlarmEvent event, const AlarmView& alarm);
  void record_steps();
  void compose(const AlarmChange& change);
  void post(Mail mail);
  void hand_over_due_mails();
  bool write_mails();
  void forget_final_mails();
  void delivery_failed(Posted& posted, const Error& error);
  void refresh_mail_state(std::int64_t alarm);

  // the store
  bool ensure_transaction();
  void store_failed(const Error& error);
  template <typename T>
  std::optional<T> stored(Result<T> result);
  bool stored(const Result<void>& result);
  bool save_ids(KnownNode& node, KnownDevice& device);
  bool save_point(KnownDevice& device, KnownPoint& point);
  void write_changes();
  void finish_batch();
  void prune();
  void publish();

  /// For alarms.
  Moment now() const;

  const CoreSettings settings_;
  Engine engine_;
  Store store_;
  PublishedRoom& room_;
  Outside& outside_;
  const Clock& clock_;
  const Log log_;
  Host host_;
  const Timestamp wall_at_start_;
  const Steady steady_at_start_;

  std::map<NodeKey, KnownNode> nodes_;
  SubjectId broker_ = 0;
  bool broker_connected_ = false;
  Timestamp broker_since_{};
  std::string broker_reason_;
  std::string audit_trouble_;
  bool is_audit_known_ = false;
  std::optional<Refusals> refusals_;
  bool are_certificates_known_ = false;
  std::optional<std::string> broker_files_trouble_;
  std::optional<std::vector<EndangeredCertificate>> endangered_;
  SessionNumber session_ = 0;

  std::map<std::int64_t, Posted> outbox_;  // by ticket; until it is final and its row says so
  std::int64_t last_ticket_ = 0;
  std::map<std::string, std::string> undelivered_;  // recipients out of reach, and why
  bool mails_are_known_ = false;                    // to go through, since the start
  std::map<std::int64_t, std::string> mail_state_;  // of open alarms

  struct Place {
    KnownNode* node;
    KnownDevice* device;
    auto operator<=>(const Place&) const = default;
  };
  std::set<Place> classes_wanted_;  // devices with a request that is neither carried out nor given up

  // what this batch changed
  std::map<std::int64_t, AlarmView> dirty_alarms_;
  std::vector<AuditEvent> steps_;      // of alarms, for the audit log once they are durable
  std::vector<LateWatch> dirty_late_;  // in order: of one watch the last counts
  std::map<KnownPoint*, Place> dirty_points_;
  std::set<KnownNode*> dirty_nodes_;
  std::vector<std::pair<std::unique_ptr<std::promise<Result<AlarmView>>>, AlarmView>> answers_;
  std::vector<std::int64_t*> new_ids_;  // rows that a failed transaction takes back
  bool batch_failed_ = false;
  bool store_is_failing_ = false;

  Steady last_look_{};
  Steady last_prune_{};
  bool has_more_to_prune_ = false;
  Steady last_status_{};
  std::uint64_t records_ = 0, readings_ = 0, mails_failed_ = 0;
  std::uint64_t stored_records_ = 0, stored_readings_ = 0;  // as of the last commit
  std::deque<std::pair<Steady, std::uint64_t>> readings_at_;
};

}  // namespace watchroom::aggregator
