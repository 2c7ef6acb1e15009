// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/base/database.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

struct TokenRow {
  std::string secret_sha256, site, agent, made_by;
  Timestamp made_at{}, expires_at{};
  std::optional<Timestamp> used_at = {};
};

struct CertificateRow {
  std::string serial, sha256;
  std::string kind;  ///< "agent", "host", "server", "client"
  std::string common_name, site, agent;
  Timestamp not_before{}, not_after{}, issued_at{};
  std::optional<Timestamp> revoked_at = {};
  std::string reason = {};
  std::string replaces = {};  ///< serial of the one whose place it took; may be empty
};

/// What the authority has promised and signed, in an SQLite file of its own. One thread at a time; a second
/// process (the offline commands) may write beside us.
class Ledger {
 public:
  static Result<Ledger> open(const std::filesystem::path& file);

  Result<void> add(const TokenRow& token);
  Result<std::optional<TokenRow>> find_token(const std::string& secret_sha256) const;
  std::vector<TokenRow> open_tokens(Timestamp now) const;

  Result<void> add(const CertificateRow& certificate);
  /// The certificate is on record and the token used up, or neither. Errc::conflict when the token was used
  /// in the meantime.
  Result<void> add_for_token(const CertificateRow& certificate, const std::string& secret_sha256);
  /// The next one of who showed that certificate. Errc::conflict when another process has revoked it.
  Result<void> add_for_certificate(const CertificateRow& certificate, const std::string& shown_sha256);
  Result<std::optional<CertificateRow>> find_certificate(const std::string& sha256) const;
  /// Those of agents, oldest first.
  Result<std::vector<CertificateRow>> agents() const;

  /// All of that agent's certificates and open tokens; how many certificates.
  Result<int> revoke(const std::string& site, const std::string& agent, const std::string& reason,
                     Timestamp at);
  /// What has this serial or common name and is not revoked; one of both is empty.
  Result<std::vector<CertificateRow>> unrevoked(const std::string& serial,
                                                const std::string& common_name) const;
  Result<std::optional<CertificateRow>> with_serial(const std::string& serial) const;
  /// All of them or none; with one of an agent also what the agent has got since, and its tokens.
  Result<void> revoke(const std::vector<CertificateRow>& certificates, const std::string& reason,
                      Timestamp at);
  /// Whether one of the revoked is in no list yet.
  Result<bool> has_unlisted() const;
  Result<void> note_listed(const std::vector<CertificateRow>& certificates);

  /// What was done and is not in the audit log yet; certificates of agents are told by who asked.
  struct Unaudited {
    bool is_start = false;  ///< the making of the authority
    std::vector<CertificateRow> issued, revoked;
  };
  Result<Unaudited> unaudited() const;
  Result<void> note_audited(const Unaudited& told);

  /// Also what has run out: a clock that was ahead for an hour must not let anybody in again.
  Result<std::vector<CertificateRow>> revoked() const;
  /// Revoked agents whose sessions nobody has cut yet.
  Result<std::vector<std::pair<std::string, std::string>>> uncut() const;
  Result<void> note_cut(const std::string& site, const std::string& agent);
  /// Names of other programs, all of whose certificates are void and whose sessions nobody has cut yet.
  Result<std::vector<std::string>> uncut_programs(Timestamp now) const;
  Result<void> note_program_cut(const std::string& common_name);

  struct ListState {
    std::int64_t number = 0;
    Timestamp made_at{};
  };
  Result<ListState> list_state() const;
  Result<void> set_list_state(const ListState& state);

 private:
  explicit Ledger(Database database) : database_{std::move(database)} {}
  Result<void> insert(const CertificateRow& certificate);
  Result<std::vector<CertificateRow>> certificates(std::string_view where) const;
  Result<void> mark(const char* column, const std::vector<CertificateRow>& certificates);

  Database database_;
};

}  // namespace watchroom::aggregator
