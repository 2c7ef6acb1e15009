// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "aggregator/notify/channel.hpp"
#include "proto/base/mailbox.hpp"

namespace watchroom::aggregator {

/// Carries notices to one channel on a thread of its own, one after the other, so that a slow server holds up
/// nothing else. `report` is called on that thread with each result.
class Courier {
 public:
  using Report = std::function<void(std::int64_t mail, const Result<void>& result)>;

  Courier(std::unique_ptr<Channel> channel, Report report)
      : channel_{std::move(channel)}, report_{std::move(report)}, thread_{[this] { run(); }} {}
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  /// Waits for the notice that is under way; what is still queued stays in the outbox.
  ~Courier() {
    stopping_ = true;
    work_.close();
    thread_.join();
  }

  /// False when too many are waiting already: ask again later.
  bool take(std::int64_t mail, Notice notice) { return work_.put({mail, std::move(notice)}); }

 private:
  struct Work {
    std::int64_t mail;
    Notice notice;
  };
  void run() {
    while (!stopping_) {
      for (Work& work : work_.take(1, std::chrono::steady_clock::now() + std::chrono::hours{1})) {
        if (stopping_) return;
        report_(work.mail, channel_->deliver(work.notice));
      }
    }
  }

  std::unique_ptr<Channel> channel_;
  Report report_;
  Mailbox<Work> work_{100};
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace watchroom::aggregator
