// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/settings/listen_address.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"
#include "proto/base/result.hpp"

struct MHD_Daemon;

namespace watchroom::agent {

/// What an address answers with.
struct MetricsPage {
  unsigned status = 200;
  std::string_view content_type;
  std::string text;
};

/// A small HTTP server without a thread of its own (libmicrohttpd): its owner waits for `descriptor` and
/// calls `serve`. GET and HEAD; a few connections at a time, each for seconds. `pages` says what a path
/// shows, nothing: 404.
class MetricsServer {
 public:
  using Pages = std::function<std::optional<MetricsPage>(std::string_view path)>;

  static Result<std::unique_ptr<MetricsServer>> open(const ListenAddress& address, Pages pages, Log log);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  /// Readable when `serve` has something to do.
  int descriptor() const { return descriptor_; }
  /// How long `serve` can wait at the most, when a time-out of its own is due.
  std::optional<std::chrono::milliseconds> patience() const;
  void serve();

 private:
  friend struct MetricsAnswers;  // what the library calls
  MetricsServer(Pages pages, Log log) : pages_{std::move(pages)}, log_{std::move(log)} {}

  const Pages pages_;
  const Log log_;
  MHD_Daemon* daemon_ = nullptr;
  int descriptor_ = -1;
};

}  // namespace watchroom::agent
