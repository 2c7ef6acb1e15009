// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// For tests: what a name server would say, or that it says nothing.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <netdb.h>

#include "agent/drivers/host_names.hpp"

namespace watchroom::agent {

/// Destroy it after the HostNames that asks it: lookups that are waiting end with `give_up`, or with the
/// peer.
class NameServerPeer {
 public:
  NameServerPeer() = default;
  NameServerPeer(const NameServerPeer&) = delete;
  NameServerPeer& operator=(const NameServerPeer&) = delete;

  void tell(const std::string& host, const std::vector<std::string>& addresses) {
    const std::lock_guard lock{state_->mutex};
    state_->addresses[host] = addresses;
  }
  /// Lookups do not come back from now on; of one host, or of all.
  void fall_silent(const std::string& host = "*") {
    const std::lock_guard lock{state_->mutex};
    state_->silent.insert(host);
  }
  /// Those that wait and those that come end without an answer.
  void give_up() {
    const std::lock_guard lock{state_->mutex};
    state_->has_given_up = true;
    state_->changed.notify_all();
  }
  void answer_again() {
    const std::lock_guard lock{state_->mutex};
    state_->silent.clear();
    state_->has_given_up = false;
    state_->changed.notify_all();
  }
  HostNames::LookUp look_up() const {
    return [state = state_](const std::string& host) { return state->ask(host); };
  }

 private:
  struct State {
    HostNames::Lookup ask(const std::string& host) {
      std::unique_lock lock{mutex};
      const auto is_silent = [&] { return silent.contains("*") || silent.contains(host); };
      // As long as a resolver waits at the worst, so that a test that forgets it comes to an end.
      changed.wait_for(lock, std::chrono::seconds{3}, [&] { return !is_silent() || has_given_up; });
      if (is_silent()) return {EAI_AGAIN};
      const auto known = addresses.find(host);
      if (known == addresses.end()) return {EAI_NONAME};
      HostNames::Lookup lookup;
      for (const std::string& text : known->second) lookup.addresses.push_back(address_of(text));
      return lookup;
    }
    static HostAddress address_of(const std::string& text) { return HostNames{}.find(text)->front(); }
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, std::vector<std::string>> addresses;
    std::set<std::string> silent;
    bool has_given_up = false;
  };
  std::shared_ptr<State> state_ =
      std::make_shared<State>();  // a lookup may outlive the test's interest in it
};

}  // namespace watchroom::agent
