// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aggregator/audit/audit_trail.hpp"
#include "aggregator/audit/repeats.hpp"
#include "aggregator/identity/pending_totp.hpp"
#include "aggregator/identity/refusal_tally.hpp"
#include "aggregator/identity/roles.hpp"
#include "aggregator/identity/sessions.hpp"
#include "aggregator/identity/throttle.hpp"
#include "aggregator/identity/totp.hpp"
#include "aggregator/identity/users.hpp"
#include "aggregator/web/message.hpp"
#include "aggregator/web/refusal.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// Who is asking, and may they. Thread-safe. `users`, `audit`, `refusals` and `clock` must
/// outlive it.
class Gate {
 public:
  Gate(Sessions::Limits limits, Users& users, AuditTrail& audit, RefusalTally& refusals, const Clock& clock,
       const Log& log);

  /// By bearer token or by session cookie.
  std::optional<Visitor> identify(const Request& request);

  /// What a request needs.
  struct Need {
    Action action = Action::view;
    bool whole_house = false;     ///< only for whoever is not limited to domains
    bool is_own_session = false;  ///< also for whoever must change the password first
  };
  /// Nothing when this visitor may ask this; otherwise the refusal. Requests that change something and lean
  /// on a cookie must come from our own page.
  std::optional<Answer> refusal(const Request& request, const std::optional<Visitor>& visitor,
                                const Need& need);
  /// Writes down that somebody asked for what is outside the domains; the answer is that it is not there.
  void record_outside(const Request& request, const Visitor& visitor);
  /// Whether a stream may go on. Counts as use of a log-in.
  bool still_may(const Visitor& visitor, Action action);

  /// POST /session. Slow on purpose: argon2id.
  Answer log_in(const Request& request);
  Answer log_out(const Visitor& visitor, const Request& request);
  /// PUT /session/password: the old one and the new one. Slow on purpose.
  Answer change_password(const Visitor& visitor, const Request& request);
  /// POST /session/totp: a secret that counts for nothing until it is confirmed.
  Answer begin_totp(const Visitor& visitor, const Request& request);
  /// PUT /session/totp: password and a code of that secret. Slow on purpose.
  Answer confirm_totp(const Visitor& visitor, const Request& request);
  /// DELETE /session/totp: password and a code. Slow on purpose.
  Answer stop_totp(const Visitor& visitor, const Request& request);

  /// A request that a browser sent on behalf of another site.
  static bool is_foreign(const Request& request);

 private:
  std::optional<Answer> refusal_of_edit(const std::string& name, std::string_view action,
                                        const Request& request,
                                        const std::function<Result<void>(UserEntry&)>& change);
  Answer opened(const Person& person);
  std::optional<Answer> refusal_of_totp(const Visitor& visitor, const Request& request);
  std::optional<Answer> refusal_of_proof(const std::string& name, const std::string& secret,
                                         const Request& request);
  Answer kept_totp(const std::string& name, const std::string& before, const std::string& after,
                   const Request& request);
  std::optional<Answer> throttled(const std::string& name, const Request& request, std::string_view action);
  void record_unknown(const Request& request);
  Answer forbid(const Request& request, const Visitor& visitor, Refusal refusal, std::string_view detail_en,
                std::string_view detail_zh);
  void record_refusal(const Request& request, const std::string& who, std::string kind,
                      std::string_view reason);
  void record(std::string_view action, std::string who, const Request& request, Outcome outcome,
              std::string detail = "");

  Users& users_;
  AuditTrail& audit_;
  RefusalTally& refusals_;
  Sessions sessions_;
  Throttle throttle_;
  UsedCodes codes_;
  PendingTotp pending_totp_;
  Repeats repeats_;
  const Clock& clock_;
  Log log_;
};

/// {"user","role","expires_at","must_change_password","has_totp"}
std::string session_text(const Person& person, const std::optional<Timestamp>& expires_at);

/// For log lines: quoted, control characters and quotes escaped, at most 100 bytes.
std::string for_log(std::string_view untrusted);

}  // namespace watchroom::aggregator
