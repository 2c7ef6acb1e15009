// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/alarms/late_watch.hpp"
#include "aggregator/intake/host.hpp"
#include "aggregator/live/views.hpp"
#include "proto/base/database.hpp"

namespace watchroom::aggregator {

/// Row numbers of the store.
using NodeId = std::int64_t;
using DeviceId = std::int64_t;
using PointId = std::int64_t;

/// A payload to keep as it came.
struct InboxRow {
  NodeId node = 0;
  std::string device;
  std::optional<JournalStamp> journal;
  std::int64_t generation = 0;
  Timestamp received_at{};
  std::string payload;
};

struct StoredPoint {
  PointId id = 0;
  std::string name, unit, states, alarms;
  std::optional<Reading> latest;
  std::optional<Reading> latest_good;
};
struct StoredDevice {
  DeviceId id = 0;
  std::string device, name, maker, model, resource_class, class_configured;
  std::optional<std::chrono::seconds> max_silence;
  std::optional<std::chrono::milliseconds> poll_interval;
  std::vector<StoredPoint> points;
};
struct StoredNode {
  NodeId id = 0;
  NodeKey key;
  std::string name, software_version;
  std::optional<std::uint64_t> journal_lost;
  std::vector<StoredDevice> devices;
  std::vector<JournalLedger> ledgers;  ///< newest generation of each journal, the one used last at the end
};

/// A mail in the outbox.
struct Mail {
  std::int64_t id = 0;
  std::int64_t alarm = 0;
  std::string event, recipient, message_id, subject, body;
  std::string state = "waiting";  ///< waiting, sent, failed
  int attempts = 0;
  Timestamp next_at{}, created_at{};
  std::string last_error;
};

/// The aggregator's one database, seen by its one writer. Calls between `begin` and `commit` become durable
/// together or not at all. One thread.
class Store {
 public:
  /// Creates and migrates `folder`/watchroom.db.
  static Result<Store> open(const std::filesystem::path& folder);

  Result<void> begin();
  /// Once this returns a power cut cannot undo it.
  Result<void> commit();
  void roll_back();
  bool is_open() const { return in_transaction_; }

  Result<NodeId> save_node(const NodeKey& key, const std::string& name, const std::string& software_version);
  Result<void> save_journal_lost(NodeId node, std::uint64_t lost);
  Result<DeviceId> save_device(NodeId node, const StoredDevice& device);
  /// What is fixed about it; its readings come one by one.
  Result<PointId> save_point(DeviceId device, const StoredPoint& point);
  /// Nothing when this record is there already.
  Result<std::optional<std::int64_t>> save_record(const InboxRow& row, Timestamp now);
  Result<void> save_sample(PointId point, std::int64_t inbox_id, std::size_t position,
                           const Reading& reading);
  Result<void> save_ledger(NodeId node, const JournalLedger& ledger, Timestamp now);
  Result<void> save_alarm(const AlarmView& alarm);
  /// One in phase normal is removed.
  Result<void> save_late_watch(const LateWatch& late);
  /// Keeps the one that is there when the Message-ID is known.
  Result<std::int64_t> save_mail(const Mail& mail);
  Result<void> update_mail(const Mail& mail);
  /// Samples taken before are dropped, at most `most` in one call; how many were.
  Result<int> prune_samples(Timestamp before, int most);

  Result<std::vector<StoredNode>> load_nodes();
  Result<std::vector<AlarmView>> load_open_alarms();
  Result<std::vector<LateWatch>> load_late_watches();
  Result<std::int64_t> highest_alarm_id();
  Result<std::vector<Mail>> load_waiting_mails();
  struct Totals {
    std::uint64_t records = 0, samples = 0, mails_failed = 0;
  };
  Result<Totals> totals();
  Result<void> save_total_readings(std::uint64_t readings);

 private:
  explicit Store(Database database) : database_{std::move(database)} {}
  Result<void> migrate();
  Result<Statement*> statement(std::string_view sql);
  Result<void> load_devices(StoredNode& node);
  Result<void> load_points(StoredDevice& device);
  Result<void> load_ledgers(StoredNode& node);
  Result<std::optional<Reading>> load_latest(PointId point, bool only_good);

  Database database_;
  std::map<std::string, Statement, std::less<>> statements_;
  bool in_transaction_ = false;
};

/// Reads beside the writer, for pages and API. One thread at a time.
class StoreReader {
 public:
  static Result<StoreReader> open(const std::filesystem::path& folder);
  /// Newest first, at most `limit` of those that are wanted.
  Result<std::vector<AlarmView>> alarm_history(std::size_t limit,
                                               const std::function<bool(const AlarmView&)>& wanted);
  /// Oldest first, the newest `limit` since `since`.
  Result<std::vector<SampleView>> samples(PointId point, Timestamp since, std::size_t limit);

 private:
  explicit StoreReader(Database database) : database_{std::move(database)} {}
  Database database_;
};

}  // namespace watchroom::aggregator
