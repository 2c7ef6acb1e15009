// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/drivers/host_address.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// Finds hosts by name for all who connect. A name that was found once is told at once and for ever, asked
/// for anew in the background, so that a name server that is silent takes no device away and holds nobody up.
/// Asked by any thread. Ends as soon as the lookups that are under way do.
class HostNames {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  struct Lookup {
    int error = 0;  ///< getaddrinfo's
    std::vector<HostAddress> addresses = {};
  };
  using LookUp = std::function<Lookup(const std::string& host)>;
  struct Pace {
    std::chrono::milliseconds patience{5'000};      ///< of who asks for a name the first time
    std::chrono::milliseconds kept_for{300'000};    ///< before it is asked for anew
    std::chrono::milliseconds again_after{10'000};  ///< a name that was not found
  };

  HostNames() : HostNames{Pace{}} {}
  explicit HostNames(Pace pace);
  /// `look_up` may block.
  HostNames(Pace pace, LookUp look_up);
  HostNames(const HostNames&) = delete;
  HostNames& operator=(const HostNames&) = delete;
  ~HostNames();

  /// All addresses of a host, the best first, without a port. Waits only for a name that nobody has asked for
  /// before, and at most until `deadline`.
  Result<std::vector<HostAddress>> find(const std::string& host, const std::stop_token& stop,
                                        Instant deadline);
  Result<std::vector<HostAddress>> find(const std::string& host, const std::stop_token& stop = {}) {
    return find(host, stop, patience_ends());
  }
  /// For several names, which are waited for together. Begin with all of them.
  Instant patience_ends() const { return std::chrono::steady_clock::now() + pace_.patience; }
  void begin(const std::string& host);
  /// Goes up whenever a name leads elsewhere than before.
  std::uint64_t changes() const { return changes_; }

 private:
  struct Known {
    std::vector<HostAddress> addresses = {};
    int error = 0;
    bool was_told = false;  // the name server answered, or will not
    bool is_asked = false;
    Instant again_at{};
  };
  Known& wish(const std::string& host);
  void take(Known& known, Lookup lookup);
  void run(const std::stop_token& stop);

  const Pace pace_;
  const LookUp look_up_;
  std::atomic<std::uint64_t> changes_ = 0;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any wished_, told_;
  std::map<std::string, Known> known_;
  std::deque<std::string> wishes_;
  std::size_t idle_ = 0;
  std::stop_source stop_;
  std::vector<std::thread> threads_;
};

}  // namespace watchroom::agent
