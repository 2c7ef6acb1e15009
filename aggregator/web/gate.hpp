// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>

#include "aggregator/identity/roles.hpp"
#include "aggregator/identity/sessions.hpp"
#include "aggregator/identity/throttle.hpp"
#include "aggregator/identity/users.hpp"
#include "aggregator/web/message.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// Who is asking, and may they. Thread-safe. `users` and `clock` must outlive it.
class Gate {
 public:
  Gate(Sessions::Limits limits, Users& users, const Clock& clock, Log log);

  /// By bearer token or by session cookie.
  std::optional<Visitor> identify(const Request& request);
  /// Nothing when this visitor may ask this; otherwise the refusal. Requests that change something and lean
  /// on a cookie must come from our own page.
  std::optional<Answer> refusal(const Request& request, const std::optional<Visitor>& visitor, Action action);
  /// Whether a stream may go on. Counts as use of a log-in.
  bool still_may(const Visitor& visitor, Action action);

  /// POST /session. Slow on purpose: argon2id.
  Answer log_in(const Request& request);
  Answer log_out(const Visitor& visitor, const Request& request);

  /// A request that a browser sent on behalf of another site.
  static bool is_foreign(const Request& request);

 private:
  Answer opened(const Person& person);

  Users& users_;
  Sessions sessions_;
  Throttle throttle_;
  const Clock& clock_;
  Log log_;
};

/// {"user","role","expires_at"}
std::string session_text(const Person& person, const std::optional<Timestamp>& expires_at);

/// For log lines: quoted, control characters and quotes escaped, at most 100 bytes.
std::string for_log(std::string_view untrusted);

}  // namespace watchroom::aggregator
