// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace watchroom {

/// A bounded queue between two threads: any number put, one takes. A full mailbox refuses and counts;
/// its fill and refusals are metrics, so that lost work is a visible fact. Must outlive all its users.
template <typename T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_{capacity} {}

  /// False, and counted, when full or closed.
  bool put(T item) {
    {
      const std::lock_guard lock{mutex_};
      if (closed_ || items_.size() >= capacity_) {
        ++refused_;
        return false;
      }
      items_.push_back(std::move(item));
    }
    arrived_.notify_one();
    return true;
  }

  /// For what is rare and must not be missed: goes in though the mailbox be full. False when closed.
  bool put_regardless(T item) {
    {
      const std::lock_guard lock{mutex_};
      if (closed_) return false;
      items_.push_back(std::move(item));
    }
    arrived_.notify_one();
    return true;
  }

  /// Everything that is there, at most `most`; waits until something arrives, `deadline` passes or the
  /// mailbox is closed. Empty means one of the latter two.
  template <typename TimePoint>
  std::vector<T> take(std::size_t most, TimePoint deadline) {
    std::unique_lock lock{mutex_};
    arrived_.wait_until(lock, deadline, [this] { return closed_ || poked_ || !items_.empty(); });
    poked_ = false;
    std::vector<T> taken;
    while (!items_.empty() && taken.size() < most) {
      taken.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return taken;
  }

  /// Wakes the taker without an item.
  void poke() {
    {
      const std::lock_guard lock{mutex_};
      poked_ = true;
    }
    arrived_.notify_one();
  }

  /// Refuses from now on; what is inside can still be taken.
  void close() {
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
    }
    arrived_.notify_all();
  }

  bool is_closed() const {
    const std::lock_guard lock{mutex_};
    return closed_;
  }
  std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return items_.size();
  }
  std::size_t capacity() const { return capacity_; }
  std::uint64_t refused() const {
    const std::lock_guard lock{mutex_};
    return refused_;
  }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> items_;
  std::uint64_t refused_ = 0;
  bool closed_ = false;
  bool poked_ = false;
};

}  // namespace watchroom
