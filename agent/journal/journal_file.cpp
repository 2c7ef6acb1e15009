// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/journal_file.hpp"

#include <charconv>
#include <cstring>

#include <unistd.h>

#include "agent/journal/packing.hpp"
#include "agent/journal/row_sums.hpp"

namespace watchroom::agent {
namespace {

constexpr std::int64_t schema_version = 4;

// A commit writes whole pages, and most commits have little to say.
constexpr int page_bytes = 1024;

// Rows come and go in order of their number, so the table's own key is the only index it needs. `sum` is the
// row's checksum; rows from before version 2 have none. `era` is that of the clock; rows from before version
// 3 have none. `packed`: the payload went through `pack`; rows from before version 4 are as they are.
constexpr const char* schema = R"sql(
  CREATE TABLE record(number INTEGER PRIMARY KEY, device TEXT NOT NULL, at_ms INTEGER NOT NULL,
                      payload BLOB NOT NULL, sum INTEGER, era INTEGER, packed INTEGER);
  CREATE TABLE era(number INTEGER PRIMARY KEY, boot TEXT NOT NULL, offset_ms INTEGER NOT NULL,
                   trust INTEGER NOT NULL, correction_ms INTEGER NOT NULL);
  CREATE TABLE setting(name TEXT PRIMARY KEY, value NOT NULL, sum INTEGER) WITHOUT ROWID;
  CREATE TABLE acknowledged(host TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, sum INTEGER,
                            PRIMARY KEY(host, first)) WITHOUT ROWID;
  CREATE TABLE announced(device TEXT PRIMARY KEY, birth BLOB NOT NULL) WITHOUT ROWID;
  PRAGMA user_version=4;
)sql";
constexpr const char* from_version_3 = R"sql(
  ALTER TABLE record ADD COLUMN packed INTEGER;
  PRAGMA user_version=4;
)sql";
constexpr const char* from_version_2 = R"sql(
  ALTER TABLE record ADD COLUMN era INTEGER;
  CREATE TABLE era(number INTEGER PRIMARY KEY, boot TEXT NOT NULL, offset_ms INTEGER NOT NULL,
                   trust INTEGER NOT NULL, correction_ms INTEGER NOT NULL);
  PRAGMA user_version=3;
)sql";
constexpr const char* from_version_1 = R"sql(
  ALTER TABLE record ADD COLUMN sum INTEGER;
  ALTER TABLE setting ADD COLUMN sum INTEGER;
  ALTER TABLE acknowledged ADD COLUMN sum INTEGER;
  PRAGMA user_version=2;
)sql";

std::string_view view_of(const JournalId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

/// The journal's own statements are right: one that is refused found another schema than it left.
Error schema_error(Error error) {
  if (error.code == Errc::invalid) error.code = Errc::corrupt;
  return error;
}

}  // namespace

Result<std::unique_ptr<JournalFile>> JournalFile::open(const std::filesystem::path& file) {
  auto database = Database::open(file, Durability::power_cut_alone, std::chrono::seconds{5}, page_bytes);
  if (!database) return database.error();
  std::unique_ptr<JournalFile> journal{new JournalFile{*std::move(database)}};
  if (auto ready = journal->prepare(); !ready) return in(schema_error(ready.error()), file.string());
  return journal;
}

Result<std::unique_ptr<JournalFile>> JournalFile::open_damaged(const std::filesystem::path& file) {
  auto database = Database::open(file, Durability::read_only);
  if (!database) return database.error();
  std::unique_ptr<JournalFile> journal{new JournalFile{*std::move(database)}};
  // It may be an older program's, of fewer columns.
  if (journal->prepare_reading("era, packed") || journal->prepare_reading("era, 0")) return journal;
  if (auto ready = journal->prepare_reading("0, 0"); !ready) return in(ready.error(), file.string());
  return journal;
}

Result<void> JournalFile::prepare() {
  // The log is cut back after a burst: it shares a small flash with the table.
  if (auto set = database_.execute("PRAGMA journal_size_limit=4194304; PRAGMA temp_store=MEMORY"); !set)
    return set;
  const auto version = number("PRAGMA user_version");
  if (!version) return version.error();
  if (version->value_or(0) == 0) {
    if (auto made = in_transaction([this] { return make_schema(); }); !made) return made;
  } else if (auto brought = bring_up(version->value_or(0)); !brought) {
    return brought;
  }
  auto check = database_.prepare("PRAGMA quick_check(1)");
  if (!check) return check.error();
  const auto row = check->step();
  if (!row) return row.error();
  if (const std::string verdict = check->text(0); verdict != "ok")
    return fail(Errc::corrupt, Retry::never, "{}", verdict);
  return prepare_statements();
}

/// From an older program's version to ours.
Result<void> JournalFile::bring_up(std::int64_t version) {
  if (version < 1 || version > schema_version)
    return fail(Errc::corrupt, Retry::never, "a journal of version {}, this program knows {}", version,
                schema_version);
  for (; version < schema_version; ++version) {
    const char* step = version == 1 ? from_version_1 : version == 2 ? from_version_2 : from_version_3;
    if (auto made = in_transaction([&] { return database_.execute(step); }); !made) return made;
  }
  return {};
}

Result<void> JournalFile::make_schema() {
  if (auto created = database_.execute(schema); !created) return created;
  JournalId id{};
  if (::getentropy(id.data(), id.size()) != 0)
    return fail(Errc::io, Retry::later, "no random bytes: {}", std::strerror(errno));
  auto store = database_.prepare("INSERT INTO setting VALUES('journal_id', ?, ?)");
  if (!store) return store.error();
  return store->bind_blob(1, view_of(id)).bind(2, sum_of_setting("journal_id", view_of(id))).run();
}

Result<void> JournalFile::keep(std::optional<Statement>& where, const std::string& sql) {
  auto statement = database_.prepare(sql);
  if (!statement) return statement.error();
  where = *std::move(statement);
  return {};
}

Result<void> JournalFile::prepare_reading(const std::string& newer_columns) {
  return keep(read_, "SELECT number, device, at_ms, payload, sum, " + newer_columns +
                         " FROM record WHERE number BETWEEN ? AND ? ORDER BY number LIMIT ?");
}

Result<void> JournalFile::prepare_statements() {
  if (auto kept = keep(insert_,
                       "INSERT INTO record(number, device, at_ms, payload, sum, era, packed) "
                       "VALUES(?, ?, ?, ?, ?, ?, ?)");
      !kept)
    return kept;
  if (auto kept = keep(delete_, "DELETE FROM record WHERE number BETWEEN ? AND ?"); !kept) return kept;
  return prepare_reading("era, packed");
}

Result<JournalState> JournalFile::load() {
  JournalState state;
  const auto id = stored("journal_id");
  if (!id) return id.error();
  if (id->value_or("").size() != state.id.size())
    return fail(Errc::corrupt, Retry::never, "the journal has no id");
  std::memcpy(state.id.data(), (*id)->data(), state.id.size());

  const auto last = number("SELECT MAX(number) FROM record");
  const auto head = stored_number("head");
  const auto lost = stored_number("lost");
  const auto moved_aside = stored_number("moved_aside");
  const auto bd_seq = stored_number("bd_seq");
  const auto known_time = stored_number("known_time");
  for (const auto* read : {&last, &head, &lost, &moved_aside, &bd_seq, &known_time})
    if (!*read) return read->error();
  state.head = unsigned_of(std::max(last->value_or(0), head->value_or(0)));
  state.lost = unsigned_of(lost->value_or(0));
  state.moved_aside = moved_aside->value_or(0);
  if (*bd_seq) state.bd_seq = static_cast<std::uint8_t>(**bd_seq);
  state.known_time = from_ms(known_time->value_or(0));
  auto given = classes();
  if (!given) return given.error();
  state.classes = *std::move(given);

  auto gone = find_gone(state.head);
  if (!gone) return gone.error();
  state.gone = *std::move(gone);
  auto known = acknowledged();
  if (!known) return known.error();
  state.acknowledged = *std::move(known);
  return state;
}

JournalState JournalFile::load_what_is_left() {
  const auto left_of = [this](std::string_view name) -> std::optional<std::int64_t> {
    const auto read = stored_number(name);
    return read ? *read : std::nullopt;
  };
  JournalState state;
  const auto last = number("SELECT MAX(number) FROM record");
  state.head = unsigned_of(std::max(left_of("head").value_or(0), last ? last->value_or(0) : 0));
  state.lost = unsigned_of(left_of("lost").value_or(0));
  state.moved_aside = left_of("moved_aside").value_or(0);
  if (const auto bd_seq = left_of("bd_seq")) state.bd_seq = static_cast<std::uint8_t>(*bd_seq);
  if (auto known = acknowledged()) state.acknowledged = *std::move(known);
  if (auto given = classes()) state.classes = *std::move(given);
  state.known_time = from_ms(left_of("known_time").value_or(0));
  return state;
}

/// Deleted numbers, and those that were dropped from memory before they came here.
Result<RecordSet> JournalFile::find_gone(std::uint64_t head) {
  auto select = database_.prepare("SELECT number FROM record ORDER BY number");
  if (!select) return select.error();
  RecordSet gone;
  std::uint64_t next = 1;
  while (true) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) break;
    const std::uint64_t number = unsigned_of(select->integer(0));
    gone.add(next, number - 1);
    next = number + 1;
  }
  gone.add(next, head);
  return gone;
}

Result<std::map<std::string, RecordSet>> JournalFile::acknowledged() {
  std::map<std::string, RecordSet> known;
  auto select = database_.prepare("SELECT host, first, last, sum FROM acknowledged");
  if (!select) return select.error();
  while (true) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return known;
    const std::string host = select->text(0);
    const RecordRange range{unsigned_of(select->integer(1)), unsigned_of(select->integer(2))};
    if (!fits(*select, 3, sum_of_acknowledged(host, range)))
      return fail(Errc::corrupt, Retry::never, "what host \"{}\" acknowledged fails its checksum", host);
    known[host].add(range.first, range.last);
  }
}

Result<std::optional<std::int64_t>> JournalFile::number(std::string_view sql) {
  auto statement = database_.prepare(sql);
  if (!statement) return statement.error();
  const auto row = statement->step();
  if (!row) return row.error();
  if (!*row || statement->is_null(0)) return std::optional<std::int64_t>{};
  return std::optional<std::int64_t>{statement->integer(0)};
}

Result<std::optional<std::string>> JournalFile::stored(std::string_view name) {
  auto select = database_.prepare("SELECT value, sum FROM setting WHERE name=?");
  if (!select) return select.error();
  const auto row = select->bind(1, name).step();
  if (!row) return row.error();
  if (!*row) return std::optional<std::string>{};
  std::string value = select->blob(0);  // of an integer: its digits
  if (!fits(*select, 1, sum_of_setting(name, value)))
    return fail(Errc::corrupt, Retry::never, "{} fails its checksum", name);
  return std::optional{std::move(value)};
}

Result<std::optional<std::int64_t>> JournalFile::stored_number(std::string_view name) {
  const auto text = stored(name);
  if (!text) return text.error();
  if (!*text) return std::optional<std::int64_t>{};
  std::int64_t value = 0;
  const char* end = (*text)->data() + (*text)->size();
  if (const auto read = std::from_chars((*text)->data(), end, value); read.ptr != end)
    return fail(Errc::corrupt, Retry::never, "{} is not a number", name);
  return std::optional{value};
}

Result<void> JournalFile::store_number(std::string_view name, std::int64_t value) {
  auto store = database_.prepare("INSERT OR REPLACE INTO setting VALUES(?, ?, ?)");
  if (!store) return store.error();
  const std::int64_t sum = sum_of_setting(name, fmt::format("{}", value));
  return store->bind(1, name).bind(2, value).bind(3, sum).run();
}

Result<void> JournalFile::store_counts(const JournalState& counts) {
  if (auto stored = store_number("head", static_cast<std::int64_t>(counts.head)); !stored) return stored;
  if (auto stored = store_number("known_time", to_ms(counts.known_time)); !stored) return stored;
  return store_number("lost", static_cast<std::int64_t>(counts.lost));
}

Result<void> JournalFile::write(const std::deque<JournalRecord>& records, const JournalState& before,
                                const std::vector<ClockEra>& eras,
                                const std::optional<Forgetting>& forgetting) {
  return in_transaction([&]() -> Result<void> {
    if (auto stored = store_eras(eras); !stored) return stored;
    if (auto inserted = insert(records); !inserted) return inserted;
    if (forgetting)
      if (auto forgotten = forget(*forgetting); !forgotten) return forgotten;
    // Otherwise the last row says what the head is: one page less to write.
    const bool has_hole = !records.empty() && records.front().number != before.head + 1;
    if (!has_hole && !forgetting) return {};
    JournalState after = before;
    if (!records.empty()) after.head = records.back().number;
    return store_counts(after);
  });
}

Result<void> JournalFile::insert(const std::deque<JournalRecord>& records) {
  for (const JournalRecord& record : records) {
    const auto packed = pack(record.payload);
    insert_->bind(1, signed_of(record.number)).bind(2, record.device).bind(3, to_ms(record.at));
    insert_->bind_blob(4, packed ? *packed : record.payload).bind(5, sum_of(record)).bind(6, record.era);
    if (auto inserted = insert_->bind(7, std::int64_t{packed ? 1 : 0}).run(); !inserted) return inserted;
  }
  return {};
}

Result<void> JournalFile::forget(const Forgetting& forgetting) {
  for (const RecordRange& range : forgetting.to_delete)
    if (auto deleted = delete_->bind(1, signed_of(range.first)).bind(2, signed_of(range.last)).run();
        !deleted)
      return deleted;
  if (auto cleared = database_.execute("DELETE FROM acknowledged"); !cleared) return cleared;
  auto insert = database_.prepare("INSERT INTO acknowledged VALUES(?, ?, ?, ?)");
  if (!insert) return insert.error();
  for (const auto& [host, records] : forgetting.acknowledged)
    for (const RecordRange& range : records.ranges()) {
      insert->bind(1, host).bind(2, signed_of(range.first)).bind(3, signed_of(range.last));
      if (auto done = insert->bind(4, sum_of_acknowledged(host, range)).run(); !done) return done;
    }
  return {};
}

Result<void> JournalFile::drop_through(std::uint64_t last, const JournalState& counts) {
  return in_transaction([&]() -> Result<void> {
    if (auto deleted = delete_->bind(1, std::int64_t{0}).bind(2, signed_of(last)).run(); !deleted)
      return deleted;
    return store_counts(counts);
  });
}

Result<RecordsRead> JournalFile::read(RecordRange range, std::size_t most) {
  RecordsRead found;
  found.next = range.first;
  read_->bind(1, signed_of(range.first))
      .bind(2, signed_of(range.last))
      .bind(3, static_cast<std::int64_t>(most));
  for (std::size_t rows = 0; rows < most; ++rows) {
    const auto row = read_->step();
    if (!row) return row.error();
    if (!*row) {
      found.next = range.last + 1;
      break;
    }
    JournalRecord record{unsigned_of(read_->integer(0)), read_->text(1), read_->blob(3),
                         from_ms(read_->integer(2)), read_->integer(5)};
    found.next = record.number + 1;
    const auto payload = read_->integer(6) == 0 ? std::optional{record.payload} : unpack(record.payload);
    record.payload = payload.value_or("");
    if (payload && fits(*read_, 4, sum_of(record)))
      found.records.push_back(std::move(record));
    else
      found.damaged.push_back(record.number);
  }
  read_->reset();
  return found;
}

Result<std::vector<JournalFile::Age>> JournalFile::ages(std::size_t most) {
  auto select =
      database_.prepare(fmt::format("SELECT number, at_ms, era FROM record ORDER BY number LIMIT {}", most));
  if (!select) return select.error();
  std::vector<Age> ages;
  while (true) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return ages;
    ages.push_back({unsigned_of(select->integer(0)), from_ms(select->integer(1)), select->integer(2)});
  }
}

Result<std::uint64_t> JournalFile::last_of_oldest(std::size_t most) {
  const auto last = number(
      fmt::format("SELECT MAX(number) FROM (SELECT number FROM record ORDER BY number LIMIT {})", most));
  if (!last) return last.error();
  return static_cast<std::uint64_t>(last->value_or(0));
}

Result<std::optional<Timestamp>> JournalFile::time_of(std::uint64_t record) {
  const auto at = number(fmt::format("SELECT at_ms FROM record WHERE number = {}", record));
  if (!at) return at.error();
  return *at ? std::optional{from_ms(**at)} : std::nullopt;
}

Result<std::uint64_t> JournalFile::size_bytes() {
  const auto pages = number("PRAGMA page_count");
  const auto free = number("PRAGMA freelist_count");
  const auto page_size = number("PRAGMA page_size");
  for (const auto* read : {&pages, &free, &page_size})
    if (!*read) return read->error();
  return static_cast<std::uint64_t>((pages->value_or(0) - free->value_or(0)) * page_size->value_or(0));
}

Result<void> JournalFile::fold() {
  const auto busy = number("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!busy) return busy.error();
  return busy->value_or(0) == 0 ? Result<void>{} : fail(Errc::io, Retry::later, "the log is in use");
}

Result<void> JournalFile::store_state(const JournalState& state) {
  return in_transaction([&]() -> Result<void> {
    if (auto stored = store_counts(state); !stored) return stored;
    if (auto stored = store_number("moved_aside", state.moved_aside); !stored) return stored;
    if (auto stored = write_classes(state.classes); !stored) return stored;
    return state.bd_seq ? store_number("bd_seq", *state.bd_seq) : Result<void>{};
  });
}

}  // namespace watchroom::agent
