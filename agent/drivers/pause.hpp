// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace watchroom::agent {

/// Waits until `deadline`; false, at once, when a stop is requested. Line timing is real time, not the
/// Clock's: it follows the wire, not a decision.
inline bool pause_until(const std::stop_token& stop, std::chrono::steady_clock::time_point deadline) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock{mutex};
  never_notified.wait_until(lock, stop, deadline, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace watchroom::agent
