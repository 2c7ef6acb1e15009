// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/journal_file.hpp"

#include <cstring>

#include <unistd.h>

namespace watchroom::agent {
namespace {

constexpr std::int64_t schema_version = 1;

// Rows come and go in order of their number, so the table's own key is the only index it needs.
constexpr const char* schema = R"sql(
  CREATE TABLE record(number INTEGER PRIMARY KEY, device TEXT NOT NULL, at_ms INTEGER NOT NULL,
                      payload BLOB NOT NULL);
  CREATE TABLE setting(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE acknowledged(host TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                            PRIMARY KEY(host, first)) WITHOUT ROWID;
  CREATE TABLE announced(device TEXT PRIMARY KEY, birth BLOB NOT NULL) WITHOUT ROWID;
  PRAGMA user_version=1;
)sql";

std::string_view view_of(const JournalId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

std::int64_t signed_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::uint64_t unsigned_of(std::int64_t number) { return static_cast<std::uint64_t>(number); }

}  // namespace

template <typename Body>
Result<void> JournalFile::in_transaction(Body body) {
  if (auto begun = database_.execute("BEGIN IMMEDIATE"); !begun) return begun;
  Result<void> done = body();
  if (done) done = database_.execute("COMMIT");
  // After some errors SQLite has rolled back by itself; then this one fails, and that is fine.
  if (!done) static_cast<void>(database_.execute("ROLLBACK"));
  return done;
}

Result<std::unique_ptr<JournalFile>> JournalFile::open(const std::filesystem::path& file) {
  auto database = Database::open(file, Durability::power_cut);
  if (!database) return database.error();
  std::unique_ptr<JournalFile> journal{new JournalFile{*std::move(database)}};
  if (auto ready = journal->prepare(); !ready) return in(ready.error(), file.string());
  return journal;
}

Result<void> JournalFile::prepare() {
  // The log is cut back after a burst: it shares a small flash with the table.
  if (auto set = database_.execute("PRAGMA journal_size_limit=4194304; PRAGMA temp_store=MEMORY"); !set)
    return set;
  const auto version = number("PRAGMA user_version");
  if (!version) return version.error();
  if (version->value_or(0) == 0) {
    auto made = in_transaction([&]() -> Result<void> {
      if (auto created = database_.execute(schema); !created) return created;
      JournalId id{};
      if (::getentropy(id.data(), id.size()) != 0)
        return fail(Errc::io, Retry::later, "no random bytes: {}", std::strerror(errno));
      auto store = database_.prepare("INSERT INTO setting VALUES('journal_id', ?)");
      if (!store) return store.error();
      return store->bind_blob(1, view_of(id)).run();
    });
    if (!made) return made;
  } else if (version->value_or(0) != schema_version) {
    return fail(Errc::corrupt, Retry::never, "a journal of version {}, this program knows {}",
                version->value_or(0), schema_version);
  }
  auto check = database_.prepare("PRAGMA quick_check(1)");
  if (!check) return check.error();
  const auto row = check->step();
  if (!row) return row.error();
  if (const std::string verdict = check->text(0); verdict != "ok")
    return fail(Errc::corrupt, Retry::never, "{}", verdict);

  const auto keep = [&](std::optional<Statement>& where, std::string_view sql) -> Result<void> {
    auto statement = database_.prepare(sql);
    if (!statement) return statement.error();
    where = *std::move(statement);
    return {};
  };
  if (auto kept = keep(insert_, "INSERT INTO record(number, device, at_ms, payload) VALUES(?, ?, ?, ?)");
      !kept)
    return kept;
  if (auto kept = keep(delete_, "DELETE FROM record WHERE number BETWEEN ? AND ?"); !kept) return kept;
  return keep(read_,
              "SELECT number, device, at_ms, payload FROM record WHERE number BETWEEN ? AND ? "
              "ORDER BY number LIMIT ?");
}

Result<JournalState> JournalFile::load() {
  JournalState state;
  auto id = database_.prepare("SELECT value FROM setting WHERE name='journal_id'");
  if (!id) return id.error();
  const auto row = id->step();
  if (!row) return row.error();
  const std::string bytes = *row ? id->blob(0) : "";
  if (bytes.size() != state.id.size()) return fail(Errc::corrupt, Retry::never, "the journal has no id");
  std::memcpy(state.id.data(), bytes.data(), bytes.size());

  const auto first = number("SELECT MIN(number) FROM record");
  const auto last = number("SELECT MAX(number) FROM record");
  const auto head = stored_number("head");
  const auto lost = stored_number("lost");
  const auto moved_aside = stored_number("moved_aside");
  const auto bd_seq = stored_number("bd_seq");
  for (const auto* read : {&first, &last, &head, &lost, &moved_aside, &bd_seq})
    if (!*read) return read->error();
  const auto unsigned_or_zero = [](const Result<std::optional<std::int64_t>>& read) {
    return static_cast<std::uint64_t>(read->value_or(0));
  };
  state.first = unsigned_or_zero(first);
  state.head = std::max(unsigned_or_zero(last), unsigned_or_zero(head));
  state.lost = unsigned_or_zero(lost);
  state.moved_aside = moved_aside->value_or(0);
  if (*bd_seq) state.bd_seq = static_cast<std::uint8_t>(**bd_seq);

  auto acknowledged = database_.prepare("SELECT host, first, last FROM acknowledged");
  if (!acknowledged) return acknowledged.error();
  while (true) {
    const auto next = acknowledged->step();
    if (!next) return next.error();
    if (!*next) return state;
    state.acknowledged[acknowledged->text(0)].add(unsigned_of(acknowledged->integer(1)),
                                                  unsigned_of(acknowledged->integer(2)));
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

Result<std::optional<std::int64_t>> JournalFile::stored_number(std::string_view name) {
  return number(fmt::format("SELECT value FROM setting WHERE name='{}'", name));
}

Result<void> JournalFile::store_number(std::string_view name, std::int64_t value) {
  auto store = database_.prepare("INSERT OR REPLACE INTO setting VALUES(?, ?)");
  if (!store) return store.error();
  return store->bind(1, name).bind(2, value).run();
}

Result<void> JournalFile::store_counts(const JournalState& counts) {
  if (auto stored = store_number("head", static_cast<std::int64_t>(counts.head)); !stored) return stored;
  return store_number("lost", static_cast<std::int64_t>(counts.lost));
}

Result<void> JournalFile::append(const std::deque<JournalRecord>& records, const JournalState& counts) {
  return in_transaction([&]() -> Result<void> {
    for (const JournalRecord& record : records) {
      insert_->bind(1, signed_of(record.number)).bind(2, record.device).bind(3, to_ms(record.at));
      if (auto inserted = insert_->bind_blob(4, record.payload).run(); !inserted) return inserted;
    }
    // Otherwise the last row says what the head is: one page less to write.
    const bool has_hole = !records.empty() && records.front().number != counts.head + 1;
    if (!has_hole) return {};
    JournalState after = counts;
    after.head = records.back().number;
    return store_counts(after);
  });
}

Result<void> JournalFile::store_acknowledged(const std::map<std::string, RecordSet>& acknowledged,
                                             const std::vector<RecordRange>& to_delete,
                                             const JournalState& counts) {
  return in_transaction([&]() -> Result<void> {
    for (const RecordRange& range : to_delete)
      if (auto deleted = delete_->bind(1, signed_of(range.first)).bind(2, signed_of(range.last)).run();
          !deleted)
        return deleted;
    if (auto cleared = database_.execute("DELETE FROM acknowledged"); !cleared) return cleared;
    auto insert = database_.prepare("INSERT INTO acknowledged VALUES(?, ?, ?)");
    if (!insert) return insert.error();
    for (const auto& [host, records] : acknowledged)
      for (const RecordRange& range : records.ranges())
        if (auto done =
                insert->bind(1, host).bind(2, signed_of(range.first)).bind(3, signed_of(range.last)).run();
            !done)
          return done;
    return store_counts(counts);
  });
}

Result<void> JournalFile::drop_through(std::uint64_t last, const JournalState& counts) {
  return in_transaction([&]() -> Result<void> {
    if (auto deleted = delete_->bind(1, std::int64_t{0}).bind(2, signed_of(last)).run(); !deleted)
      return deleted;
    return store_counts(counts);
  });
}

Result<std::vector<JournalRecord>> JournalFile::read(RecordRange range, std::size_t most) {
  std::vector<JournalRecord> records;
  read_->bind(1, signed_of(range.first))
      .bind(2, signed_of(range.last))
      .bind(3, static_cast<std::int64_t>(most));
  while (true) {
    const auto row = read_->step();
    if (!row) return row.error();
    if (!*row) break;
    records.push_back(
        {unsigned_of(read_->integer(0)), read_->text(1), read_->blob(3), from_ms(read_->integer(2))});
  }
  read_->reset();
  return records;
}

Result<std::uint64_t> JournalFile::last_older_than(Timestamp limit, std::size_t most) {
  const auto last = number(
      fmt::format("SELECT MAX(number) FROM (SELECT number, at_ms FROM record ORDER BY number LIMIT {}) "
                  "WHERE at_ms < {}",
                  most, to_ms(limit)));
  if (!last) return last.error();
  return static_cast<std::uint64_t>(last->value_or(0));
}

Result<std::uint64_t> JournalFile::last_of_oldest(std::size_t most) {
  const auto last = number(
      fmt::format("SELECT MAX(number) FROM (SELECT number FROM record ORDER BY number LIMIT {})", most));
  if (!last) return last.error();
  return static_cast<std::uint64_t>(last->value_or(0));
}

Result<std::uint64_t> JournalFile::size_bytes() {
  const auto pages = number("PRAGMA page_count");
  const auto free = number("PRAGMA freelist_count");
  const auto page_size = number("PRAGMA page_size");
  for (const auto* read : {&pages, &free, &page_size})
    if (!*read) return read->error();
  return static_cast<std::uint64_t>((pages->value_or(0) - free->value_or(0)) * page_size->value_or(0));
}

Result<void> JournalFile::store_bd_seq(std::uint8_t bd_seq) {
  return in_transaction([&] { return store_number("bd_seq", bd_seq); });
}

Result<void> JournalFile::store_moved_aside(std::int64_t count) {
  return in_transaction([&] { return store_number("moved_aside", count); });
}

Result<std::map<std::string, std::string>> JournalFile::announced() {
  auto select = database_.prepare("SELECT device, birth FROM announced");
  if (!select) return select.error();
  std::map<std::string, std::string> births;
  while (true) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return births;
    births[select->text(0)] = select->blob(1);
  }
}

Result<void> JournalFile::store_announced(const std::map<std::string, std::string>& births) {
  return in_transaction([&]() -> Result<void> {
    if (auto cleared = database_.execute("DELETE FROM announced"); !cleared) return cleared;
    auto insert = database_.prepare("INSERT INTO announced VALUES(?, ?)");
    if (!insert) return insert.error();
    for (const auto& [device, birth] : births)
      if (auto done = insert->bind(1, device).bind_blob(2, birth).run(); !done) return done;
    return {};
  });
}

}  // namespace watchroom::agent
