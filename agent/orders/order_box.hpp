// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <csignal>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace watchroom::agent {

/// Orders on their way from the core's thread to the one that waits for signals. What comes while it is full
/// is dropped and counted: the centre says a configuration again, and of an output that it was not answered.
class OrderBox {
 public:
  /// Sent to this process when there is something in it. Of signals that are pending Linux gives the lowest
  /// number first: a flood of orders must not keep SIGTERM waiting.
  static constexpr int signal = SIGURG;
  static_assert(signal > SIGTERM);

  void put(std::string order) {
    constexpr std::size_t most = 16;
    {
      const std::lock_guard lock{mutex_};
      if (orders_.size() >= most) {
        ++dropped_;
        return;
      }
      orders_.push_back(std::move(order));
    }
    ::kill(::getpid(), signal);
  }
  /// Since the last call.
  std::uint64_t take_dropped() {
    const std::lock_guard lock{mutex_};
    return std::exchange(dropped_, 0);
  }
  std::vector<std::string> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(orders_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> orders_;
  std::uint64_t dropped_ = 0;
};

}  // namespace watchroom::agent
