// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/ledger.hpp"

#include <set>

namespace watchroom::aggregator {

std::string_view ledger();  // ledger.sql, written by CMake

namespace {

constexpr std::string_view certificate_columns =
    "serial, sha256, kind, common_name, site, agent, not_before, not_after, issued_at, revoked_at, reason, "
    "replaces";

std::optional<Timestamp> time_or_nothing(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_ms(row.integer(column));
}

CertificateRow certificate_of(const Statement& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          from_ms(row.integer(6)),
          from_ms(row.integer(7)),
          from_ms(row.integer(8)),
          time_or_nothing(row, 9),
          row.text(10),
          row.text(11)};
}

Result<std::vector<CertificateRow>> all_of(Statement& query) {
  std::vector<CertificateRow> found;
  while (true) {
    auto row = query.step();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back(certificate_of(query));
  }
}

Result<std::optional<CertificateRow>> first_of(Statement& query) {
  auto row = query.step();
  if (!row) return row.error();
  return *row ? std::optional{certificate_of(query)} : std::nullopt;
}

TokenRow token_of(const Statement& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          from_ms(row.integer(4)),
          from_ms(row.integer(5)),
          time_or_nothing(row, 6)};
}

/// What a ledger of schema 1 lacks. Of an agent's certificate the audit log knows already.
constexpr const char* schema_2 =
    "ALTER TABLE certificate ADD COLUMN replaces TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE certificate ADD COLUMN is_listed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE certificate ADD COLUMN is_issue_audited INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE certificate ADD COLUMN is_end_audited INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE revocation_list ADD COLUMN is_start_audited INTEGER NOT NULL DEFAULT 0;"
    "UPDATE certificate SET is_issue_audited = 1, is_end_audited = 1 WHERE kind = 'agent';"
    "PRAGMA user_version = 2";

/// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(const Database& database) : database_{database} {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (is_open_) (void)database_.execute("ROLLBACK");
  }
  Result<void> begin() {
    auto begun = database_.execute("BEGIN IMMEDIATE");
    is_open_ = static_cast<bool>(begun);
    return begun;
  }
  Result<void> commit() {
    auto done = database_.execute("COMMIT");
    if (done) is_open_ = false;
    return done;
  }

 private:
  const Database& database_;
  bool is_open_ = false;
};

}  // namespace

Result<Ledger> Ledger::open(const std::filesystem::path& file) {
  auto database = Database::open(file, Durability::power_cut);
  if (!database) return in(database.error(), file.string());
  Transaction transaction{*database};
  if (auto begun = transaction.begin(); !begun) return in(begun.error(), file.string());
  std::int64_t version = 0;
  {
    auto asked = database->prepare("PRAGMA user_version");
    if (!asked) return in(asked.error(), file.string());
    auto row = asked->step();
    if (!row) return in(row.error(), file.string());
    version = asked->integer(0);
  }
  if (version > 2)
    return fail(Errc::invalid, Retry::never, "{}: written by a newer version (schema {})", file.string(),
                version);
  if (version == 0)
    if (auto made = database->execute(ledger()); !made) return in(made.error(), file.string());
  if (version == 1)
    if (auto done = database->execute(schema_2); !done) return in(done.error(), file.string());
  if (auto done = transaction.commit(); !done) return in(done.error(), file.string());
  return Ledger{*std::move(database)};
}

Result<void> Ledger::add(const TokenRow& token) {
  auto insert = database_.prepare("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, NULL)");
  if (!insert) return insert.error();
  insert->bind(1, token.secret_sha256).bind(2, token.site).bind(3, token.agent).bind(4, token.made_by);
  insert->bind(5, to_ms(token.made_at)).bind(6, to_ms(token.expires_at));
  return insert->run();
}

Result<std::optional<TokenRow>> Ledger::find_token(const std::string& secret_sha256) const {
  auto query = database_.prepare("SELECT * FROM token WHERE secret_sha256 = ?");
  if (!query) return query.error();
  query->bind(1, secret_sha256);
  auto row = query->step();
  if (!row) return row.error();
  return *row ? std::optional{token_of(*query)} : std::nullopt;
}

std::vector<TokenRow> Ledger::open_tokens(Timestamp now) const {
  std::vector<TokenRow> found;
  auto query =
      database_.prepare("SELECT * FROM token WHERE used_at IS NULL AND expires_at > ? ORDER BY made_at");
  if (!query) return found;
  query->bind(1, to_ms(now));
  for (auto row = query->step(); row && *row; row = query->step()) found.push_back(token_of(*query));
  return found;
}

Result<void> Ledger::insert(const CertificateRow& certificate) {
  auto insert = database_.prepare(
      "INSERT INTO certificate (serial, sha256, kind, common_name, site, agent, not_before, not_after, "
      "issued_at, replaces, is_issue_audited) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return insert.error();
  insert->bind(1, certificate.serial).bind(2, certificate.sha256).bind(3, certificate.kind);
  insert->bind(4, certificate.common_name).bind(5, certificate.site).bind(6, certificate.agent);
  insert->bind(7, to_ms(certificate.not_before)).bind(8, to_ms(certificate.not_after));
  insert->bind(9, to_ms(certificate.issued_at)).bind(10, certificate.replaces);
  insert->bind(11, std::int64_t{certificate.kind == "agent"});
  return insert->run();
}

Result<void> Ledger::add(const CertificateRow& certificate) { return insert(certificate); }

Result<void> Ledger::add_for_token(const CertificateRow& certificate, const std::string& secret_sha256) {
  Transaction transaction{database_};
  if (auto begun = transaction.begin(); !begun) return begun;
  {
    auto use = database_.prepare("UPDATE token SET used_at = ? WHERE secret_sha256 = ? AND used_at IS NULL");
    if (!use) return use.error();
    use->bind(1, to_ms(certificate.issued_at)).bind(2, secret_sha256);
    if (auto done = use->run(); !done) return done;
  }
  if (database_.changes() != 1)
    return fail(Errc::conflict, Retry::never, "the token has been used in the meantime");
  if (auto done = insert(certificate); !done) return done;
  return transaction.commit();
}

Result<void> Ledger::add_for_certificate(const CertificateRow& certificate, const std::string& shown_sha256) {
  Transaction transaction{database_};
  if (auto begun = transaction.begin(); !begun) return begun;
  const auto shown = find_certificate(shown_sha256);
  if (!shown) return shown.error();
  if (!*shown || (*shown)->revoked_at)
    return fail(Errc::conflict, Retry::never, "the certificate shown was revoked in the meantime");
  if (auto done = insert(certificate); !done) return done;
  return transaction.commit();
}

Result<std::vector<CertificateRow>> Ledger::certificates(std::string_view where) const {
  auto query = database_.prepare(fmt::format("SELECT {} FROM certificate WHERE {} ORDER BY issued_at, rowid",
                                             certificate_columns, where));
  if (!query) return query.error();
  return all_of(*query);
}

Result<std::optional<CertificateRow>> Ledger::find_certificate(const std::string& sha256) const {
  auto query =
      database_.prepare(fmt::format("SELECT {} FROM certificate WHERE sha256 = ?", certificate_columns));
  if (!query) return query.error();
  query->bind(1, sha256);
  return first_of(*query);
}

Result<std::vector<CertificateRow>> Ledger::agents() const { return certificates("kind = 'agent'"); }

Result<int> Ledger::revoke(const std::string& site, const std::string& agent, const std::string& reason,
                           Timestamp at) {
  Transaction transaction{database_};
  if (auto begun = transaction.begin(); !begun) return begun.error();
  int count = 0;
  {
    auto mark = database_.prepare(
        "UPDATE certificate SET revoked_at = ?, reason = ?, is_cut = 0, is_end_audited = 1 "
        "WHERE kind = 'agent' AND site = ? AND agent = ? AND revoked_at IS NULL");
    if (!mark) return mark.error();
    mark->bind(1, to_ms(at)).bind(2, reason).bind(3, site).bind(4, agent);
    if (auto done = mark->run(); !done) return done.error();
    count = database_.changes();
    auto withdraw =
        database_.prepare("UPDATE token SET used_at = ? WHERE site = ? AND agent = ? AND used_at IS NULL");
    if (!withdraw) return withdraw.error();
    withdraw->bind(1, to_ms(at)).bind(2, site).bind(3, agent);
    if (auto done = withdraw->run(); !done) return done.error();
  }
  if (auto done = transaction.commit(); !done) return done.error();
  return count;
}

Result<std::vector<CertificateRow>> Ledger::unrevoked(const std::string& serial,
                                                      const std::string& common_name) const {
  auto query = database_.prepare(
      fmt::format("SELECT {} FROM certificate WHERE revoked_at IS NULL AND (serial = ? OR common_name = ?) "
                  "ORDER BY issued_at, rowid",
                  certificate_columns));
  if (!query) return query.error();
  query->bind(1, serial).bind(2, common_name);
  return all_of(*query);
}

Result<std::optional<CertificateRow>> Ledger::with_serial(const std::string& serial) const {
  auto query =
      database_.prepare(fmt::format("SELECT {} FROM certificate WHERE serial = ?", certificate_columns));
  if (!query) return query.error();
  query->bind(1, serial);
  return first_of(*query);
}

Result<void> Ledger::revoke(const std::vector<CertificateRow>& certificates, const std::string& reason,
                            Timestamp at) {
  Transaction transaction{database_};
  if (auto begun = transaction.begin(); !begun) return begun;
  for (const CertificateRow& one : certificates) {
    auto end = database_.prepare(
        "UPDATE certificate SET revoked_at = ?1, reason = ?2, is_cut = 0 WHERE revoked_at IS NULL AND "
        "(serial = ?3 OR (kind = 'agent' AND site = ?4 AND agent = ?5))");
    if (!end) return end.error();
    end->bind(1, to_ms(at)).bind(2, reason).bind(3, one.serial).bind(4, one.site).bind(5, one.agent);
    if (auto done = end->run(); !done) return done;
    if (one.kind != "agent") continue;
    auto withdraw =
        database_.prepare("UPDATE token SET used_at = ? WHERE site = ? AND agent = ? AND used_at IS NULL");
    if (!withdraw) return withdraw.error();
    withdraw->bind(1, to_ms(at)).bind(2, one.site).bind(3, one.agent);
    if (auto done = withdraw->run(); !done) return done;
  }
  return transaction.commit();
}

Result<bool> Ledger::has_unlisted() const {
  const auto found = certificates("revoked_at IS NOT NULL AND is_listed = 0");
  if (!found) return found.error();
  return !found->empty();
}

Result<void> Ledger::mark(const char* column, const std::vector<CertificateRow>& certificates) {
  for (const CertificateRow& one : certificates) {
    auto update = database_.prepare(fmt::format("UPDATE certificate SET {} = 1 WHERE serial = ?", column));
    if (!update) return update.error();
    update->bind(1, one.serial);
    if (auto done = update->run(); !done) return done;
  }
  return {};
}

Result<void> Ledger::note_listed(const std::vector<CertificateRow>& certificates) {
  Transaction transaction{database_};
  if (auto begun = transaction.begin(); !begun) return begun;
  if (auto done = mark("is_listed", certificates); !done) return done;
  return transaction.commit();
}

Result<Ledger::Unaudited> Ledger::unaudited() const {
  Unaudited found;
  auto query = database_.prepare("SELECT is_start_audited FROM revocation_list");
  if (!query) return query.error();
  auto row = query->step();
  if (!row) return row.error();
  found.is_start = *row && query->integer(0) == 0;
  auto issued = certificates("is_issue_audited = 0");
  if (!issued) return issued.error();
  auto revoked = certificates("revoked_at IS NOT NULL AND is_end_audited = 0");
  if (!revoked) return revoked.error();
  found.issued = *std::move(issued);
  found.revoked = *std::move(revoked);
  return found;
}

Result<void> Ledger::note_audited(const Unaudited& told) {
  Transaction transaction{database_};
  if (auto begun = transaction.begin(); !begun) return begun;
  if (told.is_start)
    if (auto done = database_.execute("UPDATE revocation_list SET is_start_audited = 1"); !done) return done;
  if (auto done = mark("is_issue_audited", told.issued); !done) return done;
  if (auto done = mark("is_end_audited", told.revoked); !done) return done;
  return transaction.commit();
}

Result<std::vector<CertificateRow>> Ledger::revoked() const { return certificates("revoked_at IS NOT NULL"); }

Result<std::vector<std::pair<std::string, std::string>>> Ledger::uncut() const {
  // Also those that have run out: a session outlives its certificate.
  const auto rows = certificates("kind = 'agent' AND revoked_at IS NOT NULL AND is_cut = 0");
  if (!rows) return rows.error();
  std::vector<std::pair<std::string, std::string>> found;
  for (const CertificateRow& row : *rows)
    if (std::pair place{row.site, row.agent}; found.empty() || found.back() != place)
      found.push_back(std::move(place));
  return found;
}

Result<void> Ledger::note_cut(const std::string& site, const std::string& agent) {
  auto note = database_.prepare(
      "UPDATE certificate SET is_cut = 1 WHERE kind = 'agent' AND site = ? AND agent = ? AND revoked_at IS "
      "NOT "
      "NULL");
  if (!note) return note.error();
  note->bind(1, site).bind(2, agent);
  return note->run();
}

Result<std::vector<std::string>> Ledger::uncut_programs(Timestamp now) const {
  const auto rows = certificates(fmt::format(
      "kind = 'client' AND revoked_at IS NOT NULL AND is_cut = 0 AND NOT EXISTS (SELECT 1 FROM certificate "
      "AS other WHERE other.common_name = certificate.common_name AND other.revoked_at IS NULL AND "
      "other.not_after > {})",
      to_ms(now)));
  if (!rows) return rows.error();
  std::set<std::string> names;
  for (const CertificateRow& row : *rows) names.insert(row.common_name);
  return std::vector<std::string>(names.begin(), names.end());
}

Result<void> Ledger::note_program_cut(const std::string& common_name) {
  auto note = database_.prepare(
      "UPDATE certificate SET is_cut = 1 WHERE kind = 'client' AND common_name = ? AND revoked_at IS NOT "
      "NULL");
  if (!note) return note.error();
  note->bind(1, common_name);
  return note->run();
}

Result<Ledger::ListState> Ledger::list_state() const {
  auto query = database_.prepare("SELECT number, made_at FROM revocation_list");
  if (!query) return query.error();
  auto row = query->step();
  if (!row) return row.error();
  if (!*row) return fail(Errc::corrupt, Retry::never, "the ledger has lost its list's number");
  return ListState{query->integer(0), from_ms(query->integer(1))};
}

Result<void> Ledger::set_list_state(const ListState& state) {
  auto update = database_.prepare("UPDATE revocation_list SET number = ?, made_at = ?");
  if (!update) return update.error();
  update->bind(1, state.number).bind(2, to_ms(state.made_at));
  return update->run();
}

}  // namespace watchroom::aggregator
