// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/self/collector.hpp"
#include "agent/self/metrics_server.hpp"
#include "agent/self/notifier.hpp"
#include "agent/self/self_device.hpp"
#include "agent/self/watchdog.hpp"

namespace watchroom::agent {

struct SelfWatchSettings {
  SelfFiles files;
  std::optional<std::size_t> device;  ///< the self device's index; absent: it is switched off
  std::optional<ListenAddress> metrics;
  bool tells_events = false;  ///< of the local judge
};

/// The agent's look at itself, on one thread: polls the self device, serves /metrics and /healthz, and tells
/// systemd that all is well while no thread is missing. `deliver` is called on that thread: hand over and
/// return. `notifier` and `clock` must outlive it, and so must what `sources` ask.
class SelfWatch {
 public:
  using Deliver = std::function<void(PollResult)>;

  SelfWatch(SelfWatchSettings settings, SelfSources sources, Deliver deliver, const Notifier& notifier,
            const Clock& clock, Log log);
  SelfWatch(const SelfWatch&) = delete;
  SelfWatch& operator=(const SelfWatch&) = delete;
  ~SelfWatch();

  /// A port that somebody else has costs the metrics, and is told; the rest goes on.
  void start();
  /// For a reload: runs `change`, which tells the core of other devices, while nothing is delivered. From
  /// then on the self device has `index`; it describes itself anew at once.
  void reconfigure(std::size_t index, bool tells_events, const std::function<void()>& change);
  /// From any thread: something of it has changed that people wait for.
  void poll_soon();
  /// Nothing is delivered after it returns.
  void stop();

 private:
  void run();
  void wait_until(Steady due);
  void poll();
  void look_for_the_missing();
  void tell_status(const SelfFigures& figures);
  std::optional<MetricsPage> page(std::string_view path);

  const SelfWatchSettings settings_;
  const Deliver deliver_;
  const Notifier& notifier_;
  const Clock& clock_;
  const Log log_;
  Collector collector_;
  std::mutex device_mutex_;
  std::optional<SelfDevice> device_;  // guarded by it
  Watchdog watchdog_;
  std::unique_ptr<MetricsServer> server_;
  std::string told_status_;
  std::size_t page_size_ = 0;  // of the last one, to ask for memory once
  std::atomic<int> wake_ = -1;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<bool> is_poll_wanted_ = false;
  std::thread thread_;
};

}  // namespace watchroom::agent
