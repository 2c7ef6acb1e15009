// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace watchroom {

/// A prepared statement. Bind by position from 1, step, read columns from 0, reset. Belongs to its Database,
/// which must outlive it. Binding and reading cannot fail in ways worth handling; `step` can.
class Statement {
 public:
  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, double value);
  Statement& bind(int at, std::string_view text);
  Statement& bind_blob(int at, std::string_view bytes);
  Statement& bind_null(int at);
  template <typename T>
  Statement& bind(int at, const std::optional<T>& value) {
    return value ? bind(at, *value) : bind_null(at);
  }

  /// True: a row is there to read. False: done.
  Result<bool> step();
  /// For statements without rows: step once, reset.
  Result<void> run();
  void reset();

  enum class Type { null, integer, number, text, blob };
  Type type(int column) const;
  bool is_null(int column) const { return type(column) == Type::null; }
  std::int64_t integer(int column) const;
  double number(int column) const;
  std::string text(int column) const;
  std::string blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_{statement} {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class Durability {
  power_cut,        ///< synchronous FULL: a commit survives a power cut
  power_cut_alone,  ///< the same, and nobody else may open it: no index beside it that each commit writes
  read_only,        ///< a reader beside the writer
};

/// One SQLite connection in WAL mode. Used by one thread at a time.
class Database {
 public:
  /// Creates the file (0600, with pages of `page_bytes`) if missing. Waits at most `patience` for another
  /// connection's lock. What is deleted is not overwritten: that would write it twice.
  static Result<Database> open(const std::filesystem::path& file, Durability durability,
                               std::chrono::milliseconds patience = std::chrono::seconds{5},
                               int page_bytes = 4096);

  Result<Statement> prepare(std::string_view sql) const;
  /// One or many statements without parameters.
  Result<void> execute(std::string_view sql) const;
  std::int64_t last_insert_id() const;
  int changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_{database} {}
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace watchroom
