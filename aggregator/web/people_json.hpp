// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <string>

#include "aggregator/audit/audit_entry.hpp"
#include "aggregator/identity/users_file.hpp"
#include "aggregator/web/room_json.hpp"

namespace watchroom::aggregator {

/// What a token may do and until when; never its hash, by which `last_uses` is.
Json to_json(const TokenEntry& token, const std::map<std::string, Timestamp>& last_uses);
/// A user with the tokens, no secrets. `last_uses` is by the tokens' SHA-256.
Json to_json(const UserEntry& user, const UsersFile& file, const std::map<std::string, Timestamp>& last_uses);

/// A secret of one-time codes that awaits its first code.
struct PendingSecret {
  std::string user;
  std::string base32;
  Timestamp expires_at;
};
Json to_json(const PendingSecret& pending);

}  // namespace watchroom::aggregator
