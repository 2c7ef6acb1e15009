// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/refusal_tally.hpp"

#include "aggregator/identity/secret.hpp"
#include "aggregator/identity/throttle.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {

void RefusalTally::password(std::string_view name, std::string_view address) {
  const Steady now = clock_.steady();
  const std::lock_guard lock{mutex_};
  count(name, address, now);
}

void RefusalTally::secret(std::string_view secret, std::string_view address) {
  const Steady now = clock_.steady();
  const std::lock_guard lock{mutex_};
  if (see(secrets_, sha256_hex(secret), now)) return;
  count("", address, now);
}

void RefusalTally::session(std::string_view id, std::string_view address) {
  const Steady now = clock_.steady();
  const std::lock_guard lock{mutex_};
  if (see(secrets_, sha256_hex(id), now) || !is_whole(now)) return;
  count("", address, now);
}

Refusals RefusalTally::lately() {
  const Steady now = clock_.steady();
  const std::lock_guard lock{mutex_};
  forget(now);
  Refusals told;
  told.is_whole = is_whole(now);
  for (const Second& second : seconds_) told.count += second.count;
  if (told.count == 0) return told;
  told.addresses = addresses_.size();
  told.last_name = last_name_;
  told.last_address = last_address_;
  return told;
}

void RefusalTally::count(std::string_view name, std::string_view address, Steady now) {
  constexpr std::size_t longest_name = 64;
  if (seconds_.empty() || now - seconds_.back().begun >= std::chrono::seconds{1}) {
    forget(now);
    seconds_.push_back({now});
  }
  seconds_.back().count += 1;
  see(addresses_, throttled_address(address), now);
  last_name_ = printable(name.substr(0, longest_name));
  last_address_ = address;
}

void RefusalTally::forget(Steady now) {
  while (!seconds_.empty() && now - seconds_.front().begun >= window) seconds_.pop_front();
  const auto is_old = [now](const auto& entry) { return now - entry.second >= window; };
  std::erase_if(addresses_, is_old);
  std::erase_if(secrets_, is_old);
}

bool RefusalTally::see(Seen& seen, std::string key, Steady now) {
  const auto at = seen.find(key);
  if (at == seen.end()) {
    if (seen.size() < most_kept) seen.emplace(std::move(key), now);
    return false;
  }
  const bool is_recent = now - at->second < window;
  at->second = now;
  return is_recent;
}

}  // namespace watchroom::aggregator
