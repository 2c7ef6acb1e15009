// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

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
};

/// What a journal file knows besides its records.
struct JournalState {
  JournalId id{};
  std::uint64_t head = 0;        ///< the highest number ever used
  std::uint64_t first = 0;       ///< the lowest number in the table; 0 when it is empty
  std::uint64_t lost = 0;        ///< numbers that were dropped before every host had them
  std::int64_t moved_aside = 0;  ///< how many damaged files this one follows
  std::optional<std::uint8_t> bd_seq;
  std::map<std::string, RecordSet> acknowledged;  ///< by host
};

/// The journal on disk: each call that writes is one transaction and is durable when it returns. Keeps no
/// state of its own besides the connection.
class JournalFile {
 public:
  /// Makes the file and its id when there is none. `corrupt` when the file is damaged or not a journal.
  static Result<std::unique_ptr<JournalFile>> open(const std::filesystem::path& file);

  Result<JournalState> load();
  Result<void> append(const std::deque<JournalRecord>& records, const JournalState& counts);
  /// Stores who has what, and deletes what nobody needs any more.
  Result<void> store_acknowledged(const std::map<std::string, RecordSet>& acknowledged,
                                  const std::vector<RecordRange>& to_delete, const JournalState& counts);
  Result<void> drop_through(std::uint64_t last, const JournalState& counts);
  Result<std::vector<JournalRecord>> read(RecordRange range, std::size_t most);
  /// The last of the oldest `most` records that is older than `limit`; 0 when none is.
  Result<std::uint64_t> last_older_than(Timestamp limit, std::size_t most);
  /// The last of the oldest `most` records.
  Result<std::uint64_t> last_of_oldest(std::size_t most);
  /// Bytes in use inside the file; free pages are used again and do not count.
  Result<std::uint64_t> size_bytes();

  Result<void> store_bd_seq(std::uint8_t bd_seq);
  Result<void> store_moved_aside(std::int64_t count);
  /// What the devices' births last announced, encoded, by device.
  Result<std::map<std::string, std::string>> announced();
  Result<void> store_announced(const std::map<std::string, std::string>& births);

 private:
  explicit JournalFile(Database database) : database_{std::move(database)} {}
  Result<void> prepare();
  Result<void> store_number(std::string_view name, std::int64_t value);
  Result<std::optional<std::int64_t>> number(std::string_view sql);
  Result<std::optional<std::int64_t>> stored_number(std::string_view name);
  Result<void> store_counts(const JournalState& counts);
  template <typename Body>
  Result<void> in_transaction(Body body);

  Database database_;
  std::optional<Statement> insert_;
  std::optional<Statement> read_;
  std::optional<Statement> delete_;
};

}  // namespace watchroom::agent
