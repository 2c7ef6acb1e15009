// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/host_names.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <netdb.h>

namespace watchroom::agent {
namespace {

// A lookup that nobody answers takes its thread for seconds; names of the hosts file are not to wait for it.
constexpr std::size_t most_threads = 4;

HostNames::Lookup addresses_of(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;  // of each address one entry
  hints.ai_flags = flags;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &first); error != 0) return {error};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{first, &::freeaddrinfo};
  HostNames::Lookup lookup;
  for (const addrinfo* one = first; one; one = one->ai_next) {
    HostAddress address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    lookup.addresses.push_back(address);
  }
  return lookup;
}

bool are_same(const std::vector<HostAddress>& a, const std::vector<HostAddress>& b) {
  return std::ranges::equal(a, b, [](const auto& one, const auto& other) { return one.is_same_host(other); });
}

Error not_found(const std::string& host, int error) {
  if (error == EAI_AGAIN)
    return fail(Errc::not_connected, Retry::later, "{} cannot be looked up: the name server does not answer",
                host);
  return fail(Errc::not_connected, Retry::later, "{} has no address: {}", host, ::gai_strerror(error));
}

}  // namespace

// Only of the kinds that a network card of ours has: an address that cannot be reached stands for nothing.
HostNames::HostNames(Pace pace)
    : HostNames{pace, [](const std::string& host) { return addresses_of(host, AI_ADDRCONFIG); }} {}

HostNames::HostNames(Pace pace, LookUp look_up) : pace_{pace}, look_up_{std::move(look_up)} {}

HostNames::~HostNames() {
  stop_.request_stop();
  for (std::thread& thread : threads_) thread.join();
}

Result<std::vector<HostAddress>> HostNames::find(const std::string& host, const std::stop_token& stop,
                                                 Instant deadline) {
  if (auto numeric = addresses_of(host, AI_NUMERICHOST); !numeric.addresses.empty())
    return std::move(numeric.addresses);
  std::unique_lock lock{mutex_};
  const Known& known = wish(host);
  told_.wait_until(lock, stop, deadline, [&] { return known.was_told; });
  if (!known.addresses.empty()) return known.addresses;
  if (known.was_told) return not_found(host, known.error);
  return fail(Errc::not_connected, Retry::later, "{} is still being looked up", host);
}

void HostNames::begin(const std::string& host) {
  if (!addresses_of(host, AI_NUMERICHOST).addresses.empty()) return;
  const std::lock_guard lock{mutex_};
  wish(host);
}

/// With mutex_ held.
HostNames::Known& HostNames::wish(const std::string& host) {
  Known& known = known_[host];
  if (known.is_asked || (known.was_told && std::chrono::steady_clock::now() < known.again_at)) return known;
  known.is_asked = true;
  // Somebody may be waiting for a new name; an old one does for now.
  known.addresses.empty() ? wishes_.push_front(host) : wishes_.push_back(host);
  if (wishes_.size() > idle_ && threads_.size() < most_threads)
    threads_.emplace_back([this] { run(stop_.get_token()); });
  wished_.notify_one();
  return known;
}

void HostNames::run(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    ++idle_;
    wished_.wait(lock, stop, [this] { return !wishes_.empty(); });
    --idle_;
    if (stop.stop_requested()) return;
    const std::string host = std::move(wishes_.front());
    wishes_.pop_front();
    lock.unlock();
    Lookup lookup = look_up_(host);
    lock.lock();
    take(known_[host], std::move(lookup));
    told_.notify_all();
  }
}

/// What was found before stays when nothing is found now: the device will be where it was.
void HostNames::take(Known& known, Lookup lookup) {
  const bool is_found = !lookup.addresses.empty();
  known.is_asked = false;
  known.was_told = true;
  known.error = lookup.error;
  known.again_at = std::chrono::steady_clock::now() + (is_found ? pace_.kept_for : pace_.again_after);
  if (!is_found || are_same(known.addresses, lookup.addresses)) return;
  known.addresses = std::move(lookup.addresses);
  ++changes_;
}

}  // namespace watchroom::agent
