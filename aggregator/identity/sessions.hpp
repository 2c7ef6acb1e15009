// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "aggregator/identity/users.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// Who is logged in, in memory only: a restart ends every session. Of a session's id only the SHA-256 is
/// kept, so that a copy of the memory opens nothing. Thread-safe. `users` and `clock` must outlive it.
class Sessions {
 public:
  struct Limits {
    std::chrono::milliseconds length{std::chrono::hours{12}};
    std::chrono::milliseconds idle{std::chrono::hours{2}};
    std::size_t per_user = 20;  ///< one more ends the one that was unused longest
  };
  struct Opened {
    std::string id;  ///< for the cookie; cannot be had again
    Timestamp expires_at;
  };
  struct Session {
    Person person;
    Timestamp expires_at;
  };

  Sessions(Limits limits, const Users& users, const Clock& clock);

  Opened open(const Person& person);
  /// The session and its person as the users file says now; counts as use. Nothing when it ended: by time, by
  /// log-out, because the user is gone or has another password.
  std::optional<Session> use(std::string_view id_sha256);
  void close(std::string_view id_sha256);
  std::size_t size() const;

 private:
  struct Entry {
    std::string user;
    std::string credential_mark;
    Timestamp expires_at;  // shown to people; what ends a log-in is steady time
    Steady ends_at;
    Steady used_at;
  };
  bool is_over(const Entry& entry) const;
  void make_room_for(const std::string& user);

  const Limits limits_;
  const Users& users_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> by_sha256_;  // under mutex_
};

}  // namespace watchroom::aggregator
