// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <variant>

#include "aggregator/web/feed.hpp"
#include "aggregator/web/message.hpp"
#include "aggregator/web/metrics.hpp"
#include "aggregator/web/routes.hpp"
#include "aggregator/web/web_settings.hpp"
#include "proto/base/log.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// What a listener serves.
class Site {
 public:
  Site() = default;
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  virtual ~Site() = default;

  struct Work {
    Lane lane;
    std::function<Answer()> run;  ///< on a thread of that lane; may wait
  };
  /// On the I/O thread: the answer where it is at hand, otherwise who makes it. `request` lives until `run`
  /// is over.
  virtual std::variant<Answer, Work> plan(const Request& request) = 0;
  /// On the I/O thread.
  virtual bool may_keep_stream(const Visitor& visitor) = 0;
  /// On a thread of Lane::memory, one at a time.
  virtual std::map<Reach, Feed::Round> feed(const std::map<Reach, Feed::Wanted>& wanted) = 0;
  /// On a thread of Lane::memory, every `users_check_interval`.
  virtual void look_around() = 0;
};

/// Sockets, TLS and HTTP/1.1, and nothing of what is said over them. The only place that knows Boost. All
/// sockets belong to its one I/O thread. `site` must outlive it.
class Listener {
 public:
  Listener(WebSettings settings, Site& site, Log log);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  Result<void> start();
  void stop();
  std::uint16_t port() const;
  WebFigures figures() const;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace watchroom::aggregator
