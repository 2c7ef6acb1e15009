// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "agent/journal/folder_lock.hpp"
#include "agent/journal/journal_figures.hpp"
#include "agent/journal/journal_file.hpp"
#include "agent/journal/record_set.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

struct JournalSettings {
  /// A record is deleted once each of these has it. Empty: once it was published (`published`).
  std::vector<std::string> ack_hosts;
  std::chrono::milliseconds urgent_commit{200};
  std::chrono::milliseconds commit{10'000};
  std::uint64_t max_size_bytes = 512ull << 20;
  std::chrono::milliseconds max_age = std::chrono::hours{24 * 30};
  /// What may be kept in memory while the disk refuses to take it, or is not there at all.
  std::uint64_t max_memory_bytes = 8ull << 20;
};

enum class Urgency { routine, urgent };

/// The agent's store-and-forward. Records are numbered 1, 2, 3 … as they are appended; a number is never used
/// again under the same id, and only a committed record may leave. Owned and called by the agent's core
/// thread; no call waits for anything but the disk.
///
/// When the disk is full or read-only, records wait in memory (bounded, the oldest dropped and counted) and
/// `commit` fails until it is better; this is logged once. A damaged file is moved aside and a new journal
/// with a new id begins with what can still be read of it; where no file can be had the journal lives in
/// memory (bounded) and tries the disk again every few minutes.
class Journal {
 public:
  /// Fails only with `conflict`: another process has the file's folder.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& file, JournalSettings settings,
                                               const Clock& clock, Log log);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  /// Writes what is buffered.
  ~Journal();

  /// Buffers a record and returns its number. It is on disk after the `commit` that `deadline` asks for. What
  /// a device reports as routine until then goes into one record: encoded payloads can be joined.
  std::uint64_t append(std::string device, std::string payload, Urgency urgency);
  /// Nothing is added any more to the records that wait: somebody has taken note of what is in them.
  void seal() { open_.clear(); }
  /// When `commit` wants to be called; nothing when there is nothing to do.
  std::optional<Steady> deadline() const;
  /// Puts everything buffered on disk and returns it; also keeps the bounds and forgets what was
  /// acknowledged. On an error the records stay buffered.
  Result<std::vector<JournalRecord>> commit();

  /// Takes note of what `host` has on its disk. Refuses hosts that are not configured and numbers beyond the
  /// head. Deleting waits for the next write: what is deleted late is at worst sent twice.
  Result<void> acknowledge(const std::string& host, std::uint64_t cumulative,
                           std::span<const RecordRange> ranges = {});
  /// For a journal without hosts: a record that was handed to the broker is done with.
  void published(std::uint64_t number);

  /// Committed records of `range`, lowest first, that at least one of `hosts` lacks.
  Result<std::vector<JournalRecord>> read(RecordRange range, std::size_t most,
                                          const std::vector<std::string>& hosts);
  /// The numbers of `range` that at least one of `hosts` lacks; with no hosts, that are still kept.
  std::vector<RecordRange> missing(RecordRange range, const std::vector<std::string>& hosts) const;

  const JournalId& id() const { return state_.id; }
  /// The highest committed number.
  std::uint64_t head() const { return state_.head; }
  /// The highest number given out; above `head` they are only in memory.
  std::uint64_t last_appended() const { return last_appended_; }
  /// Records below are acknowledged by every host, or lost. head + 1 when nothing is kept.
  std::uint64_t oldest() const { return oldest_; }
  /// What was dropped before every host had it, also from memory while the disk refused.
  std::uint64_t lost() const { return state_.lost + lost_in_memory_; }
  std::int64_t moved_aside() const { return state_.moved_aside; }
  /// What waits for the next commit.
  const std::deque<JournalRecord>& pending() const { return pending_; }
  /// The last commit failed.
  bool is_failing() const { return is_failing_; }
  bool is_durable() const { return is_durable_; }
  JournalHealth health() const;
  JournalFigures figures();

  /// From now on records are by a clock of this offset and trust. The eras of `boot` that nobody had
  /// confirmed are put right when a confirmed one begins.
  void begin_era(const std::string& boot, std::chrono::milliseconds offset, ClockTrust trust);
  /// What is to be done to the times in a record.
  ClockCorrection correction(const JournalRecord& record) const { return eras_.correction(record.era); }
  /// The latest time that is known to have been right; the epoch when none is.
  Timestamp known_time() const { return state_.known_time; }

  /// Classes that the centre gave to devices, in place of those of the configuration.
  const std::map<std::string, std::string>& classes() const { return state_.classes; }
  /// An empty name takes it back. On disk when it returns, if the disk takes it.
  void give_class(const std::string& device, const std::string& name);

  /// Steps the Sparkplug session number (bdSeq, 0 to 255) and stores it before it is used.
  std::uint8_t step_bd_seq();

  /// What births announced of each device, so that records of what was since removed from the configuration
  /// can still be announced before they are replayed.
  std::map<std::string, std::string> announced();
  /// `birth(i)` gives the i-th device's id and encoded birth; asked one by one, for there may be thousands,
  /// and a second time only when they are not what is stored already.
  using Births = std::function<std::pair<std::string, std::string>(std::size_t)>;
  bool store_announced(std::size_t count, const Births& birth);

 private:
  Journal(std::filesystem::path file, JournalSettings settings, const Clock& clock, Log log);
  void open_file();
  Result<void> use_file_or_begin_anew();
  Result<void> use(const std::filesystem::path& where);
  void live_in_memory(const Error& why);
  void leave_memory();
  void replace_file(const Error& why);
  Result<void> begin_anew(const Error& why, const JournalState& before);
  std::filesystem::path saved_path() const;
  Result<void> put_saved_in_place();
  Result<void> salvage_from(const std::filesystem::path& damaged, std::uint64_t known_head,
                            const std::vector<RecordRange>& unsent);
  void adopt(JournalState loaded);
  void number_pending();
  void buffer(JournalRecord record);
  JournalRecord* open_record(const std::string& device);
  Result<void> write_pending();
  std::optional<Forgetting> forgetting_due();
  std::vector<JournalRecord> take_pending();
  std::vector<ClockEra> unsaved_eras() const;
  void load_eras();
  void keep_bounds();
  std::uint64_t last_too_old();
  void save_settings();
  Result<void> keep_size();
  Result<void> drop_through(std::uint64_t last, std::string_view why);
  void give_up(const std::vector<std::uint64_t>& damaged);
  void refresh_oldest();
  bool went_well(const std::string& doing, const Result<void>& done);
  void note_failure(const Error& error);
  RecordSet settled_for(const std::vector<std::string>& hosts) const;

  const std::filesystem::path path_;
  const JournalSettings settings_;
  const Clock& clock_;
  const Log log_;
  FolderLock folder_;
  std::unique_ptr<JournalFile> file_;
  JournalState state_;
  std::deque<JournalRecord> pending_;
  std::uint64_t pending_bytes_ = 0;
  std::map<std::string, std::uint64_t> open_;  // by device, the record of `pending_` that may be added to
  std::uint64_t last_appended_ = 0;
  std::uint64_t oldest_ = 1;
  RecordSet deleted_;  // what no longer is in the file
  EraBook eras_;
  std::set<std::int64_t> unsaved_eras_;
  std::optional<Steady> commit_at_;
  std::optional<Steady> forget_at_;
  std::optional<Steady> retry_at_;
  std::optional<Steady> leave_memory_at_;
  std::chrono::milliseconds leave_memory_wait_{0};
  std::uint64_t lost_before_memory_ = 0;
  std::optional<Steady> bounds_at_;
  std::optional<Steady> tell_lost_at_;
  std::uint64_t lost_in_memory_ = 0;  // dropped while the disk refused; stored with the next commit
  std::set<std::string> troubles_;    // what cannot be done at present, told once
  bool is_failing_ = false;
  bool has_unsaved_settings_ = false;  // classes or bdSeq that the disk refused
  bool is_durable_ = true;
  JournalFigures figures_;                                        // what of it is counted
  std::optional<std::pair<std::uint64_t, Timestamp>> oldest_at_;  // by its number: looked up once
};

}  // namespace watchroom::agent
