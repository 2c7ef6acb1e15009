// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/pending_totp.hpp"

#include "aggregator/identity/totp.hpp"

namespace watchroom::aggregator {

std::string PendingTotp::begin(const std::string& session_sha256) {
  std::string secret = new_totp_secret();
  const std::lock_guard lock{mutex_};
  drop_old();
  by_session_.insert_or_assign(session_sha256, Entry{secret, clock_.steady() + forgotten_after});
  return secret;
}

std::optional<std::string> PendingTotp::of(std::string_view session_sha256) {
  const std::lock_guard lock{mutex_};
  drop_old();
  const auto at = by_session_.find(session_sha256);
  return at == by_session_.end() ? std::nullopt : std::optional{at->second.secret};
}

void PendingTotp::forget(std::string_view session_sha256) {
  const std::lock_guard lock{mutex_};
  if (const auto at = by_session_.find(session_sha256); at != by_session_.end()) by_session_.erase(at);
}

/// Under mutex_.
void PendingTotp::drop_old() {
  const Steady now = clock_.steady();
  std::erase_if(by_session_, [&](const auto& item) { return now >= item.second.ends_at; });
}

}  // namespace watchroom::aggregator
