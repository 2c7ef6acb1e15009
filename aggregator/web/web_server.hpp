// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <memory>

#include "aggregator/web/served.hpp"
#include "aggregator/web/web_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// HTTPS for people and programs: the page, REST, events, metrics. Sockets belong to one thread of its own;
/// whatever may wait (the room's disk, argon2) runs on small pools with bounded queues. What is served and
/// `clock` must outlive it and are used from those threads.
class WebServer {
 public:
  WebServer(WebSettings settings, const Served& served, const Clock& clock, Log log);
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  /// Stops.
  ~WebServer();

  /// Reads certificate and key, binds the port, starts the threads. Fails with a sentence when one cannot be
  /// had.
  Result<void> start();
  /// Ends every connection and stream and joins the threads; waits for calls into the room that are under
  /// way.
  void stop();
  /// The port that was bound; 0 before `start`.
  std::uint16_t port() const;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace watchroom::aggregator
