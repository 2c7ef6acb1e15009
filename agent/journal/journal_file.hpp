// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/clock/era_book.hpp"
#include "agent/journal/record_set.hpp"
#include "proto/base/database.hpp"
#include "proto/link/payload.hpp"

namespace watchroom::agent {

/// One DATA payload for one device (empty: the node itself), encoded without seq, time and stamp.
struct JournalRecord {
  std::uint64_t number = 0;
  std::string device;
  std::string payload;
  Timestamp at{};
  std::int64_t era = 0;  ///< of the clock that its times are by; 0: from before there were any

  std::uint64_t size_in_memory() const { return sizeof *this + device.size() + payload.size(); }
};

/// What a journal file knows besides its records.
struct JournalState {
  JournalId id{};
  std::uint64_t head = 0;        ///< the highest number ever used
  RecordSet gone;                ///< numbers up to the head that are not in the table
  std::uint64_t lost = 0;        ///< numbers that were dropped before every host had them
  std::int64_t moved_aside = 0;  ///< how many damaged files this one follows
  std::optional<std::uint8_t> bd_seq;
  std::map<std::string, RecordSet> acknowledged;  ///< by host
  Timestamp known_time{};                         ///< a time that was right when it was stored
  std::map<std::string, std::string> classes;     ///< given by the centre, by device
};

/// Who has what, and what nobody needs any more.
struct Forgetting {
  std::map<std::string, RecordSet> acknowledged;  ///< by host
  std::vector<RecordRange> to_delete;
};

/// What `JournalFile::read` came upon.
struct RecordsRead {
  std::vector<JournalRecord> records;
  std::vector<std::uint64_t> damaged;  ///< rows whose checksum does not fit: not to be believed
  std::uint64_t next = 0;              ///< where to read on; beyond the range when it has no more
};

/// The journal on disk: each call that writes is one transaction and is durable when it returns. Keeps no
/// state of its own besides the connection.
class JournalFile {
 public:
  /// Makes the file and its id when there is none. `corrupt` when the file is damaged or not a journal.
  static Result<std::unique_ptr<JournalFile>> open(const std::filesystem::path& file);
  /// For reading what is left of a damaged file; changes nothing in it.
  static Result<std::unique_ptr<JournalFile>> open_damaged(const std::filesystem::path& file);

  /// `corrupt` when any of it fails its checksum.
  Result<JournalState> load();
  /// Of a damaged file: what can be read, without `gone`.
  JournalState load_what_is_left();
  /// One commit. `before`: the counts as they were; `eras`: what is new of the clock's eras, or has changed.
  Result<void> write(const std::deque<JournalRecord>& records, const JournalState& before,
                     const std::vector<ClockEra>& eras, const std::optional<Forgetting>& forgetting);
  /// Of the clock.
  Result<std::vector<ClockEra>> eras();
  /// Those without records.
  Result<void> forget_eras();
  Result<void> drop_through(std::uint64_t last, const JournalState& counts);
  Result<RecordsRead> read(RecordRange range, std::size_t most);
  struct Age {
    std::uint64_t number = 0;
    Timestamp at{};
    std::int64_t era = 0;
  };
  /// Of the oldest `most` records.
  Result<std::vector<Age>> ages(std::size_t most);
  /// The last of the oldest `most` records.
  Result<std::uint64_t> last_of_oldest(std::size_t most);
  /// When a record was appended; nothing when it is not there.
  Result<std::optional<Timestamp>> time_of(std::uint64_t record);
  /// Bytes in use inside the file; free pages are used again and do not count.
  Result<std::uint64_t> size_bytes();

  /// Puts all of it into the one file, without a log beside it.
  Result<void> fold();
  /// The numbers that `state` holds, without its sets.
  Result<void> store_state(const JournalState& state);
  /// What the devices' births last announced, encoded, by device.
  Result<std::map<std::string, std::string>> announced();
  /// Their checksum; nothing when none were ever stored.
  Result<std::optional<std::int64_t>> announced_sum() { return stored_number("announced_sum"); }
  /// `birth(i)` gives the i-th device's id and birth.
  Result<void> store_announced(std::size_t count,
                               const std::function<std::pair<std::string, std::string>(std::size_t)>& birth,
                               std::int64_t sum);

 private:
  explicit JournalFile(Database database) : database_{std::move(database)} {}
  Result<void> prepare();
  Result<void> make_schema();
  Result<void> bring_up(std::int64_t version);
  Result<void> prepare_statements();
  Result<void> prepare_reading(const std::string& newer_columns);
  Result<void> keep(std::optional<Statement>& where, const std::string& sql);
  Result<RecordSet> find_gone(std::uint64_t head);
  Result<std::map<std::string, RecordSet>> acknowledged();
  Result<void> insert(const std::deque<JournalRecord>& records);
  Result<void> forget(const Forgetting& forgetting);
  Result<void> store_number(std::string_view name, std::int64_t value);
  Result<std::optional<std::int64_t>> number(std::string_view sql);
  /// A row of `setting`, as text; nothing when there is none.
  Result<std::optional<std::string>> stored(std::string_view name);
  Result<std::optional<std::int64_t>> stored_number(std::string_view name);
  Result<void> store_counts(const JournalState& counts);
  Result<void> write_classes(const std::map<std::string, std::string>& classes);
  Result<std::map<std::string, std::string>> classes();
  Result<void> store_eras(const std::vector<ClockEra>& eras);
  template <typename Body>
  Result<void> in_transaction(Body body) {
    if (auto begun = database_.execute("BEGIN IMMEDIATE"); !begun) return begun;
    Result<void> done = body();
    if (done) done = database_.execute("COMMIT");
    // After some errors SQLite has rolled back by itself; then this one fails, and that is fine.
    if (!done) static_cast<void>(database_.execute("ROLLBACK"));
    return done;
  }

  Database database_;
  std::optional<Statement> insert_;
  std::optional<Statement> read_;
  std::optional<Statement> delete_;
};

}  // namespace watchroom::agent
