// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/throttle.hpp"

#include <algorithm>

#include <arpa/inet.h>

#include "aggregator/identity/secret.hpp"

namespace watchroom::aggregator {

std::optional<std::chrono::seconds> Throttle::admit(std::string_view name, std::string_view address) {
  const Steady now = clock_.steady();
  const std::lock_guard lock{mutex_};
  Record& by_name = record_of(names_, name);
  Record& by_address = record_of(addresses_, address);
  const Steady open_at = std::max(by_name.open_at, by_address.open_at);
  if (now < open_at) return std::chrono::ceil<std::chrono::seconds>(open_at - now);
  count(by_name, name_rule, now);
  count(by_address, address_rule, now);
  return std::nullopt;
}

void Throttle::succeeded(std::string_view name, std::string_view address) {
  const std::lock_guard lock{mutex_};
  if (const auto at = names_.find(name); at != names_.end()) names_.erase(at);
  // Only this attempt is taken back: knowing one password must not buy guesses at the others.
  take_back(addresses_, address);
}

void Throttle::taken_back(std::string_view name, std::string_view address) {
  const std::lock_guard lock{mutex_};
  take_back(names_, name);
  take_back(addresses_, address);
}

void Throttle::take_back(Records& records, std::string_view key) {
  const auto at = records.find(key);
  if (at == records.end()) return;
  at->second.failures -= 1;
  at->second.open_at = Steady{};
  if (at->second.failures <= 0) records.erase(at);
}

Throttle::Record& Throttle::record_of(Records& records, std::string_view key) {
  const Steady now = clock_.steady();
  const auto at = records.find(key);
  if (at != records.end()) {
    if (now - at->second.last >= forgotten_after) at->second = {};
    return at->second;
  }
  if (records.size() >= most_records)
    std::erase_if(records, [&](const auto& item) { return now - item.second.last >= forgotten_after; });
  if (records.size() >= most_records)
    records.erase(std::min_element(records.begin(), records.end(), [](const auto& a, const auto& b) {
      return a.second.last < b.second.last;
    }));
  return records.emplace(std::string{key}, Record{}).first->second;
}

void Throttle::count(Record& record, const Rule& rule, Steady now) {
  record.last = now;
  record.failures += 1;
  const int beyond = record.failures - rule.free_failures;
  if (beyond < 0) return;
  const auto wait = beyond < 16 ? rule.first_wait * (1 << beyond) : rule.longest_wait;
  record.open_at = now + std::min<std::chrono::seconds>(wait, rule.longest_wait);
}

std::string throttled_address(std::string_view address) {
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, std::string{address}.c_str(), &parsed) != 1) return std::string{address};
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
    char text[INET_ADDRSTRLEN];
    return ::inet_ntop(AF_INET, &parsed.s6_addr[12], text, sizeof text);
  }
  return to_hex({reinterpret_cast<const char*>(parsed.s6_addr), 8}) + "::/64";
}

}  // namespace watchroom::aggregator
