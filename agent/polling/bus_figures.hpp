// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::agent {

constexpr std::size_t communication_count = static_cast<std::size_t>(Communication::unknown) + 1;

/// What a bus has done so far, at one moment.
struct BusSnapshot {
  std::string name;      ///< "/dev/ttyS1", "modbus-tcp 10.0.0.5:502", "snmp"
  std::string instance;  ///< the same, fit for a point's name
  std::size_t threads = 0;
  int devices = 0;
  int living = 0;
  int lost = 0;                                            ///< the rest was not asked yet
  std::array<std::uint64_t, communication_count> polls{};  ///< by what came of them
  std::chrono::milliseconds busy{};                        ///< all of its threads together
  std::chrono::milliseconds lateness{};                    ///< the widest since the last snapshot
  Steady back_by = Steady::max();  ///< by then each of its threads comes by, unless it is stuck
};

/// The counters of one bus. Its threads write, one reader takes snapshots; neither waits for the other.
class BusFigures {
 public:
  BusFigures(std::string name, std::string instance, std::size_t devices, std::size_t threads);

  /// A thread comes by, and will again until `back_by`.
  void comes_by(std::size_t thread, Steady back_by);
  /// A thread has ended as it should.
  void leaves(std::size_t thread) { comes_by(thread, Steady::max()); }
  /// A device was asked. `before`: what had come of it the last time; unknown the first time.
  void asked(Communication before, Communication now);
  /// A thread has asked one device, or several at a time, for so long.
  void was_busy(std::chrono::milliseconds took) { busy_ms_ += took.count(); }
  /// A living device had to wait so much longer than its interval for its turn.
  void was_late(std::chrono::milliseconds by);

  /// Begins a new time of looking for the widest lateness.
  BusSnapshot take();

 private:
  const std::string name_;
  const std::string instance_;
  const int devices_;
  std::atomic<int> living_ = 0;
  std::atomic<int> lost_ = 0;
  std::array<std::atomic<std::uint64_t>, communication_count> polls_{};
  std::atomic<std::int64_t> busy_ms_ = 0;
  std::atomic<std::int64_t> lateness_ms_ = 0;
  std::vector<std::atomic<std::int64_t>> back_by_ms_;  // by thread
};

/// All buses there are. Outlives the buses, which come and go with a reload. Thread-safe.
class BusBoard {
 public:
  /// The bus is on the board as long as somebody holds what is returned.
  std::shared_ptr<BusFigures> add(const std::string& name, std::size_t devices, std::size_t threads);
  /// Sorted by name. One reader: see BusFigures::take.
  std::vector<BusSnapshot> take();

 private:
  struct Entry {
    std::string name;
    std::string instance;
    std::weak_ptr<BusFigures> figures;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

/// A bus's name as an instance of a point (1 to 32 of A-Z a-z 0-9 _ -): "ttyS1", "modbus-tcp-10-0-0-5-502".
/// What is too long is cut and ends with a number made of the whole.
std::string instance_of_bus(const std::string& name);

}  // namespace watchroom::agent
