// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/audit/audit_log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace watchroom::aggregator {
namespace {

constexpr std::size_t most_in_transaction = 1'000;

// The triggers guard against mistakes and against whoever has only SQL; the chain shows what gets past them.
constexpr std::string_view schema = R"(
CREATE TABLE IF NOT EXISTS entry (
  number INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  from_address TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_by_time ON entry (at_ms);
CREATE TRIGGER IF NOT EXISTS entry_no_update BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_delete BEFORE DELETE ON entry
  BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_gap BEFORE INSERT ON entry
  WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM entry)
  BEGIN SELECT RAISE(ABORT, 'the audit log has other entries than were written to it'); END;
PRAGMA user_version = 1;
)";

constexpr std::string_view columns =
    "number, at_ms, who, from_address, action, object, outcome, detail, previous, hash";

AuditEntry entry_of(const Statement& row) {
  AuditEntry entry;
  entry.number = row.integer(0);
  entry.at = from_ms(row.integer(1));
  entry.event.who = row.text(2);
  entry.event.from = row.text(3);
  entry.event.action = row.text(4);
  entry.event.object = row.text(5);
  // A word that is none of ours was not written by us: any outcome gives another hash then.
  entry.event.outcome = outcome_named(row.text(6)).value_or(Outcome::failed);
  entry.event.detail = row.text(7);
  entry.previous = row.text(8);
  entry.hash = row.text(9);
  if (!outcome_named(row.text(6))) entry.hash.clear();
  return entry;
}

Result<std::vector<AuditEntry>> read_all(Statement& load) {
  std::vector<AuditEntry> entries;
  auto row = load.step();
  for (; row && *row; row = load.step()) entries.push_back(entry_of(load));
  if (!row) return row.error();
  return entries;
}

Result<std::optional<AuditEntry>> head_of(const Database& database) {
  auto load = database.prepare(fmt::format("SELECT {} FROM entry ORDER BY number DESC LIMIT 1", columns));
  if (!load) return load.error();
  auto entries = read_all(*load);
  if (!entries) return entries.error();
  if (entries->empty()) return std::optional<AuditEntry>{};
  return std::optional{std::move(entries->front())};
}

}  // namespace

AuditLog::Limits AuditLog::Limits::read(const SettingsTable& table) {
  using namespace std::chrono_literals;
  Limits limits;
  limits.keep = table.duration(
      "keep_days",
      {.help = "older entries are dropped, and the log says so in a way that can be verified; export "
               "them before (at least six months: Cybersecurity Law of the PRC, article 21 (3))",
       .fallback = 24h * 3650,
       .least = 24h * 183,
       .most = 24h * 36'500});
  table.finish();
  return limits;
}

AuditLog::AuditLog(std::filesystem::path file, const Clock& clock, Log log, Limits limits)
    : file_{std::move(file)}, clock_{clock}, log_{log.tagged("audit")}, limits_{limits} {}

AuditLog::~AuditLog() {
  stop();
  if (lock_ >= 0) ::close(lock_);
}

Result<void> AuditLog::start() {
  std::error_code ignored;
  std::filesystem::create_directories(file_.parent_path(), ignored);
  const std::string lock_file = file_.string() + ".lock";
  lock_ = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return fail(Errc::conflict, Retry::never, "{}: another aggregator writes this audit log", file_.string());
  if (lock_ < 0) log_.error("{}: {}", lock_file, std::strerror(errno));
  thread_ = std::thread{[this] { run(); }};
  return {};
}

void AuditLog::stop() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AuditLog::record(AuditEvent event) {
  {
    const std::lock_guard lock{mutex_};
    if (waiting_.size() >= limits_.most_waiting) {
      ++unwritten_losses_;
      ++figures_.lost;
      return;
    }
    admit_losses();
    // Under the lock, so that times stand in the order of the numbers unless the clock itself goes back.
    waiting_.push_back({clock_.now(), fit_for_log(std::move(event))});
  }
  news_.notify_one();
}

/// Under mutex_, with room for one more.
void AuditLog::admit_losses() {
  if (unwritten_losses_ == 0) return;
  waiting_.push_back({clock_.now(),
                      {.who = "system",
                       .from = "",
                       .action = "audit.lost",
                       .object = "",
                       .outcome = Outcome::failed,
                       .detail = fmt::format("{} entries before this one could not be kept: the disk refused "
                                             "and the memory was full",
                                             unwritten_losses_)}});
  unwritten_losses_ = 0;
}

std::string AuditLog::trouble() const {
  const std::lock_guard lock{mutex_};
  return trouble_;
}

AuditFigures AuditLog::figures() const {
  const std::lock_guard lock{mutex_};
  AuditFigures figures = figures_;
  figures.waiting = waiting_.size();
  return figures;
}

void AuditLog::run() {
  Steady told_at = clock_.steady();
  // Not before the aggregator has written down its start: what comes before that is suspicious.
  dropped_at_ = told_at;
  bool is_first = true;
  while (true) {
    std::vector<Waiting> events;
    bool is_last = false;
    {
      std::unique_lock lock{mutex_};
      const auto has_work = [&] { return is_stopping_ || (!figures_.is_failing && !waiting_.empty()); };
      if (!is_first) news_.wait_for(lock, limits_.retry, has_work);
      is_last = is_stopping_;
      if (waiting_.size() < limits_.most_waiting) admit_losses();
      events = next();
    }
    const auto written = write(events);
    take_note(written);
    const bool is_due = is_first || clock_.steady() - told_at >= limits_.head_interval;
    if (is_last && written && *written > 0) continue;  // there may be more
    if (written && (is_due || is_last)) {
      tell_head();
      told_at = clock_.steady();
    }
    if (written && !is_last) drop_old();
    is_first = false;
    if (is_last) return;
  }
}

void AuditLog::take_note(const Result<std::size_t>& written) {
  bool was_failing = false;
  std::size_t lost = 0;
  {
    const std::lock_guard lock{mutex_};
    was_failing = std::exchange(figures_.is_failing, !written);
    trouble_ = written ? tampering_ : written.error().text;
    if (written) {
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(*written));
      figures_.written += *written;
      figures_.head_number = head_->number;
      figures_.head_hash = head_->hash;
    } else if (is_stopping_) {
      lost = waiting_.size();
    }
  }
  if (written && was_failing) log_.info("the audit log can be written again");
  if (!written && !was_failing)
    log_.error("the audit log cannot be written: {}; entries wait in memory", written.error().text);
  if (lost > 0)
    log_.error("{} entries of the audit log are lost: it could not be written until the end", lost);
}

/// Where the log goes to another machine, that machine knows how far this one was and with what content.
void AuditLog::tell_head() {
  if (head_->number > 0) log_.info("head of the audit log: entry {}, {}", head_->number, head_->hash);
}

std::vector<AuditLog::Waiting> AuditLog::next() const {
  const std::size_t count = std::min(waiting_.size(), most_in_transaction);
  return {waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count)};
}

Result<void> AuditLog::open() {
  auto database = Database::open(file_, Durability::power_cut, std::chrono::seconds{2});
  if (!database) return database.error();
  if (auto made = database->execute(schema); !made) return in(made.error(), file_.string());
  struct stat status {};
  inode_ = ::stat(file_.c_str(), &status) == 0 ? status.st_ino : 0;
  if (!head_) {
    auto head = head_of(*database);
    if (!head) return in(head.error(), file_.string());
    head_ = head->value_or(AuditEntry{});
  }
  database_.emplace(*std::move(database));
  return {};
}

/// SQLite goes on writing to a file that was deleted or moved away, where nobody would find it.
bool AuditLog::is_another_file() const {
  struct stat status {};
  return ::stat(file_.c_str(), &status) != 0 || status.st_ino != inode_;
}

Result<std::size_t> AuditLog::write(const std::vector<Waiting>& events) {
  if (database_ && is_another_file()) database_.reset();
  if (!database_)
    if (auto opened = open(); !opened) return opened.error();
  if (events.empty()) return 0u;
  const auto give_up = [this](const Error& error) -> Result<std::size_t> {
    (void)database_->execute("ROLLBACK");
    database_.reset();  // opening it anew says more, and lets a new file take its place
    return error;
  };
  if (auto begun = database_->execute("BEGIN IMMEDIATE"); !begun) return give_up(begun.error());
  const auto found = head_of(*database_);
  if (!found) return give_up(found.error());
  if (attempt_ && *found && (*found)->hash == attempt_->head.hash) {
    (void)database_->execute("ROLLBACK");
    head_ = attempt_->head;
    return std::exchange(attempt_, std::nullopt)->events;
  }
  std::optional<AuditEvent> admission;
  AuditEntry before = continue_after(*found, admission);
  std::vector<Waiting> all = events;
  if (admission) all.insert(all.begin(), {events.front().at, *std::move(admission)});
  auto head = append_all(all, std::move(before));
  if (!head) return give_up(head.error());
  if (auto committed = database_->execute("COMMIT"); !committed) {
    attempt_ = Attempt{events.size(), *std::move(head)};
    return give_up(committed.error());
  }
  attempt_.reset();
  head_ = *std::move(head);
  return events.size();
}

void AuditLog::drop_old() {
  if (!limits_.keep || clock_.steady() - dropped_at_ < limits_.drop_interval) return;
  dropped_at_ = clock_.steady();
  const auto dropped = drop_before(clock_.now() - *limits_.keep);
  if (!dropped) {
    (void)database_->execute("ROLLBACK");
    database_.reset();
    log_.error("old entries of the audit log cannot be dropped: {}", dropped.error().text);
  } else if (*dropped > 0) {
    log_.info("entries up to {} of the audit log were dropped because of their age", *dropped);
    const std::lock_guard lock{mutex_};
    figures_.head_number = head_->number;
    figures_.head_hash = head_->hash;
  }
}

/// The note and what it speaks of in one transaction: neither is ever there without the other. The number of
/// the last that was dropped; 0: there was none.
Result<std::int64_t> AuditLog::drop_before(Timestamp limit) {
  if (auto begun = database_->execute("BEGIN IMMEDIATE"); !begun) return begun.error();
  const auto found = head_of(*database_);
  if (!found) return found.error();
  const bool is_ours = *found && (*found)->number == head_->number && (*found)->hash == head_->hash;
  const auto last = last_before(limit);
  if (!last) return last.error();
  if (!is_ours || !*last) {  // a log that somebody has changed is left as it is
    (void)database_->execute("ROLLBACK");
    return 0;
  }
  auto head = append_all({{clock_.now(), drop_note(**last)}}, **found);
  if (!head) return head.error();
  const auto done = database_->execute(
      fmt::format("DROP TRIGGER entry_no_delete; DELETE FROM entry WHERE number <= {};", (*last)->number));
  if (!done) return done.error();
  if (auto guarded = database_->execute(schema); !guarded) return guarded.error();
  if (auto committed = database_->execute("COMMIT"); !committed) {
    attempt_ = Attempt{0, *std::move(head)};
    return committed.error();
  }
  head_ = *std::move(head);
  return (*last)->number;
}

/// The newest of those that are to be dropped, from the first on without a gap.
Result<std::optional<AuditEntry>> AuditLog::last_before(Timestamp limit) {
  auto load = database_->prepare(fmt::format(
      "SELECT {} FROM entry WHERE number <= ?2 AND number < (SELECT coalesce(min(number), ?2 + 1) FROM entry "
      "WHERE at_ms >= ?1) ORDER BY number DESC LIMIT 1",
      columns));
  if (!load) return load.error();
  load->bind(1, to_ms(limit)).bind(2, head_->number - limits_.least_kept);
  auto entries = read_all(*load);
  if (!entries) return entries.error();
  if (entries->empty()) return std::optional<AuditEntry>{};
  return std::optional{std::move(entries->front())};
}

/// The head as we know it, unless the file says otherwise: then the log goes on from what is there and says
/// so.
AuditEntry AuditLog::continue_after(const std::optional<AuditEntry>& found,
                                    std::optional<AuditEvent>& admission) {
  const AuditEntry there = found.value_or(AuditEntry{});
  if (there.number == head_->number && there.hash == head_->hash) return there;
  tampering_ = fmt::format(
      "somebody else has changed the audit log: it ended with entry {} ({}) and now ends "
      "with entry {} ({})",
      head_->number, head_->hash, there.number, there.hash);
  log_.error("{}", tampering_);
  admission = AuditEvent{.who = "system",
                         .from = "",
                         .action = "audit.tampered",
                         .object = "",
                         .outcome = Outcome::failed,
                         .detail = tampering_};
  return there;
}

Result<AuditEntry> AuditLog::append_all(const std::vector<Waiting>& events, AuditEntry before) {
  auto insert = database_->prepare(
      fmt::format("INSERT INTO entry ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns));
  if (!insert) return insert.error();
  for (const Waiting& waiting : events) {
    if (before.number > 0 && waiting.at < before.at) {
      const std::string detail = fmt::format("from {} to {}", to_rfc3339(before.at), to_rfc3339(waiting.at));
      auto noted =
          append(*insert, before, waiting.at,
                 {.who = "system", .from = "", .action = "clock.went_back", .object = "", .detail = detail});
      if (!noted) return noted.error();
    }
    if (auto added = append(*insert, before, waiting.at, waiting.event); !added) return added.error();
  }
  return before;
}

Result<void> AuditLog::append(Statement& insert, AuditEntry& before, Timestamp at, AuditEvent event) {
  AuditEntry entry{before.number + 1, at, std::move(event),
                   before.number == 0 ? hash_before_all() : before.hash, ""};
  entry.hash = hash_of(entry);
  const AuditEvent& what = entry.event;
  insert.bind(1, entry.number)
      .bind(2, to_ms(entry.at))
      .bind(3, std::string_view{what.who})
      .bind(4, std::string_view{what.from})
      .bind(5, std::string_view{what.action})
      .bind(6, std::string_view{what.object})
      .bind(7, name_of(what.outcome))
      .bind(8, std::string_view{what.detail})
      .bind(9, std::string_view{entry.previous})
      .bind(10, std::string_view{entry.hash});
  if (auto added = insert.run(); !added) return added;
  before = std::move(entry);
  return {};
}

Result<AuditReader> AuditReader::open(const std::filesystem::path& file) {
  auto database = Database::open(file, Durability::read_only);
  if (!database) return database.error();
  return AuditReader{*std::move(database)};
}

Result<std::vector<AuditEntry>> AuditReader::read(const Range& range) {
  constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
  auto load = database_.prepare(
      fmt::format("SELECT {} FROM entry WHERE number > ?1 AND number < ?2 "
                  "AND (?3 IS NULL OR number >= (SELECT min(number) FROM entry WHERE at_ms >= ?3)) "
                  "AND (?4 IS NULL OR number <= (SELECT max(number) FROM entry WHERE at_ms <= ?4)) "
                  "ORDER BY number {} LIMIT ?5",
                  columns, range.newest ? "DESC" : "ASC"));
  if (!load) return load.error();
  load->bind(1, range.after).bind(2, range.before.value_or(all));
  range.since ? load->bind(3, to_ms(*range.since)) : load->bind_null(3);
  range.until ? load->bind(4, to_ms(*range.until)) : load->bind_null(4);
  load->bind(5, static_cast<std::int64_t>(range.limit));
  auto entries = read_all(*load);
  if (entries && range.newest) std::reverse(entries->begin(), entries->end());
  return entries;
}

Result<std::optional<AuditEntry>> AuditReader::head() { return head_of(database_); }

Result<ChainCheck> verify_log(const std::filesystem::path& file, const std::optional<std::string>& expected) {
  auto reader = AuditReader::open(file);
  if (!reader) return reader.error();
  ChainCheck check{ChainCheck::Begins::at_one};
  if (expected) check.expect(*expected);
  AuditReader::Range range;
  range.limit = 5'000;
  while (true) {
    auto entries = reader->read(range);
    if (!entries) return in(entries.error(), file.string());
    if (entries->empty()) break;
    for (const AuditEntry& entry : *entries) check.take(entry);
    range.after = entries->back().number;
  }
  check.finish();
  return check;
}

}  // namespace watchroom::aggregator
