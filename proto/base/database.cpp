// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/database.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

namespace watchroom {
namespace {

Error error_of(sqlite3* database, std::string_view doing) {
  const int code = sqlite3_extended_errcode(database);
  const int primary = code & 0xff;
  const Errc kind = primary == SQLITE_FULL                                  ? Errc::full
                    : primary == SQLITE_CONSTRAINT                          ? Errc::conflict
                    : primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? Errc::corrupt
                    : primary == SQLITE_ERROR                               ? Errc::invalid
                                                                            : Errc::io;
  const bool may_pass = primary == SQLITE_FULL || primary == SQLITE_BUSY || primary == SQLITE_IOERR;
  return fail(kind, may_pass ? Retry::later : Retry::never, "{}: {} (SQLite {})", doing,
              sqlite3_errmsg(database), code);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Statement& Statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), at, value);
  return *this;
}
Statement& Statement::bind(int at, double value) {
  sqlite3_bind_double(statement_.get(), at, value);
  return *this;
}
Statement& Statement::bind(int at, std::string_view text) {
  sqlite3_bind_text(statement_.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind_blob(int at, std::string_view bytes) {
  sqlite3_bind_blob(statement_.get(), at, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind_null(int at) {
  sqlite3_bind_null(statement_.get(), at);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const Error error = error_of(sqlite3_db_handle(statement_.get()), sqlite3_sql(statement_.get()));
  reset();
  return error;
}

Result<void> Statement::run() {
  auto stepped = step();
  if (!stepped) return stepped.error();
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

Statement::Type Statement::type(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER: return Type::integer;
    case SQLITE_FLOAT: return Type::number;
    case SQLITE_TEXT: return Type::text;
    case SQLITE_BLOB: return Type::blob;
    default: return Type::null;
  }
}
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::number(int column) const { return sqlite3_column_double(statement_.get(), column); }
std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return bytes ? std::string{bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))}
               : "";
}
std::string Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return bytes ? std::string{bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))}
               : "";
}

Result<Database> Database::open(const std::filesystem::path& file, Durability durability,
                                std::chrono::milliseconds patience, int page_bytes) {
  const bool reads_only = durability == Durability::read_only;
  const int flags = (reads_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  Database database{raw};
  if (code != SQLITE_OK) return in(error_of(raw, "open"), file.string());
  sqlite3_busy_timeout(raw, static_cast<int>(patience.count()));
  if (reads_only) return database;
  ::chmod(file.c_str(), 0600);
  auto ready = database.execute(
      fmt::format("PRAGMA locking_mode={}; PRAGMA page_size={}; PRAGMA journal_mode=WAL; "
                  "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=OFF",
                  durability == Durability::power_cut_alone ? "EXCLUSIVE" : "NORMAL", page_bytes));
  if (!ready) return in(ready.error(), file.string());
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &raw, nullptr) != SQLITE_OK)
    return error_of(database_.get(), sql);
  return Statement{raw};
}

Result<void> Database::execute(std::string_view sql) const {
  const std::string owned{sql};
  if (sqlite3_exec(database_.get(), owned.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return error_of(database_.get(), owned.substr(0, 80));
  return {};
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(database_.get()); }
int Database::changes() const { return sqlite3_changes(database_.get()); }

}  // namespace watchroom
