// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/sessions.hpp"

#include "aggregator/identity/secret.hpp"

namespace watchroom::aggregator {

Sessions::Sessions(Limits limits, const Users& users, const Clock& clock)
    : limits_{limits}, users_{users}, clock_{clock} {}

Sessions::Opened Sessions::open(const Person& person) {
  Opened opened{new_session_id(), clock_.now() + limits_.length};
  const Steady now = clock_.steady();
  const std::lock_guard lock{mutex_};
  make_room_for(person.name);
  by_sha256_.emplace(sha256_hex(opened.id), Entry{person.name, person.credential_mark, opened.expires_at,
                                                  now + limits_.length, now});
  return opened;
}

std::optional<Sessions::Session> Sessions::use(std::string_view id_sha256) {
  const std::lock_guard lock{mutex_};
  const auto at = by_sha256_.find(id_sha256);
  if (at == by_sha256_.end()) return std::nullopt;
  Entry& entry = at->second;
  auto person = users_.named(entry.user);
  if (is_over(entry) || !person || person->credential_mark != entry.credential_mark) {
    by_sha256_.erase(at);
    return std::nullopt;
  }
  entry.used_at = clock_.steady();
  return Session{*std::move(person), entry.expires_at};
}

void Sessions::close(std::string_view id_sha256) {
  const std::lock_guard lock{mutex_};
  if (const auto at = by_sha256_.find(id_sha256); at != by_sha256_.end()) by_sha256_.erase(at);
}

std::size_t Sessions::size() const {
  const std::lock_guard lock{mutex_};
  return by_sha256_.size();
}

bool Sessions::is_over(const Entry& entry) const {
  const Steady now = clock_.steady();
  return now >= entry.ends_at || now - entry.used_at >= limits_.idle;
}

void Sessions::make_room_for(const std::string& user) {
  std::erase_if(by_sha256_, [&](const auto& item) { return is_over(item.second); });
  std::size_t count = 0;
  auto oldest = by_sha256_.end();
  for (auto at = by_sha256_.begin(); at != by_sha256_.end(); ++at) {
    if (at->second.user != user) continue;
    ++count;
    if (oldest == by_sha256_.end() || at->second.used_at < oldest->second.used_at) oldest = at;
  }
  if (count >= limits_.per_user) by_sha256_.erase(oldest);
}

}  // namespace watchroom::aggregator
