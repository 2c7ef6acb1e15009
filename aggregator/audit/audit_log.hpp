// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "aggregator/audit/audit_entry.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/database.hpp"
#include "proto/base/log.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::aggregator {

struct AuditFigures {
  std::uint64_t written = 0;  ///< since the start
  std::uint64_t waiting = 0;  ///< in memory, not on the disk yet
  std::uint64_t lost = 0;     ///< since the start: the memory was full
  bool is_failing = false;    ///< the disk refuses
  std::int64_t head_number = 0;
  std::string head_hash;
};

/// The audit log: a file of its own, append only, each entry chained to the one before. `record` only puts
/// the event into memory; a thread of this object writes. What the disk refuses is tried again; what the
/// memory cannot hold is counted, and that is an entry too. Thread-safe. `clock` must outlive it.
class AuditLog final : public AuditTrail {
 public:
  struct Limits {
    std::size_t most_waiting = 20'000;
    std::chrono::milliseconds retry{1'000};
    std::chrono::milliseconds head_interval{std::chrono::hours{24}};  ///< how often the head goes to the log
    /// Older entries are dropped; nothing: none ever are.
    std::optional<std::chrono::milliseconds> keep = {};
    std::int64_t least_kept = 10'000;  ///< a clock that jumps ahead must not empty the log
    std::chrono::milliseconds drop_interval{std::chrono::hours{1}};

    /// The table `[audit]` of aggregator.toml.
    static Limits read(const SettingsTable& table);
  };
  AuditLog(std::filesystem::path file, const Clock& clock, Log log) : AuditLog{file, clock, log, Limits{}} {}
  AuditLog(std::filesystem::path file, const Clock& clock, Log log, Limits limits);
  ~AuditLog() override;

  /// Errc::conflict when another process writes this log. A disk that refuses is no reason not to start.
  Result<void> start();
  /// Writes what waits, if the disk lets it.
  void stop();

  void record(AuditEvent event) override;
  std::string trouble() const override;
  AuditFigures figures() const;
  const std::filesystem::path& file() const { return file_; }

 private:
  struct Waiting {
    Timestamp at;
    AuditEvent event;
  };

  void run();
  void tell_head();
  void take_note(const Result<std::size_t>& written);
  Result<std::size_t> write(const std::vector<Waiting>& events);
  Result<void> open();
  bool is_another_file() const;
  Result<AuditEntry> append_all(const std::vector<Waiting>& events, AuditEntry before);
  static Result<void> append(Statement& insert, AuditEntry& before, Timestamp at, AuditEvent event);
  AuditEntry continue_after(const std::optional<AuditEntry>& found, std::optional<AuditEvent>& admission);
  std::vector<Waiting> next() const;
  void drop_old();
  Result<std::int64_t> drop_before(Timestamp limit);
  Result<std::optional<AuditEntry>> last_before(Timestamp limit);
  void admit_losses();

  const std::filesystem::path file_;
  const Clock& clock_;
  const Log log_;
  const Limits limits_;
  int lock_ = -1;

  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::deque<Waiting> waiting_;         // under mutex_
  std::uint64_t unwritten_losses_ = 0;  // under mutex_
  bool is_stopping_ = false;            // under mutex_
  std::string trouble_;                 // under mutex_
  AuditFigures figures_;                // under mutex_

  // What follows is the thread's.
  struct Attempt {
    std::size_t events;
    AuditEntry head;
  };
  std::optional<Database> database_;
  std::uint64_t inode_ = 0;
  std::optional<AuditEntry> head_;  // number 0: an empty log; nothing: not known yet
  std::optional<Attempt> attempt_;  // a commit that failed, and may be on the disk all the same
  std::string tampering_;
  Steady dropped_at_{};
  std::thread thread_;
};

/// Reads the log beside its writer, or with the aggregator down.
class AuditReader {
 public:
  static Result<AuditReader> open(const std::filesystem::path& file);

  struct Range {
    std::int64_t after = 0;  ///< numbers greater than this
    std::optional<std::int64_t> before = {};
    std::optional<Timestamp> since = {}, until = {};
    bool newest = false;  ///< of more than `limit` the last ones instead of the first
    std::size_t limit = 200;
  };
  /// In the order of their numbers, without gaps that the log itself has not: a range of time is taken from
  /// its first entry to its last, so that it can be verified also where the clock went back.
  Result<std::vector<AuditEntry>> read(const Range& range);
  /// Nothing: an empty log.
  Result<std::optional<AuditEntry>> head();

 private:
  explicit AuditReader(Database database) : database_{std::move(database)} {}
  Database database_;
};

/// The whole log, from its first entry to its end.
Result<ChainCheck> verify_log(const std::filesystem::path& file, const std::optional<std::string>& expected);

}  // namespace watchroom::aggregator
