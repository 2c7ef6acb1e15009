// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "agent/drivers/driver.hpp"
#include "agent/polling/bus_figures.hpp"
#include "agent/polling/found_points.hpp"
#include "agent/polling/point_write.hpp"
#include "agent/polling/turns.hpp"

namespace watchroom::agent {

/// The devices of one bus, asked at their pace by one thread, or by several where the bus can take it. Finds
/// out in passing which optional points and rows they have.
class BusWorkers {
 public:
  using Deliver = std::function<void(PollResult)>;

  /// `indices`: of our devices among all of the agent's. `found`, `lists`, `board` and `clock` must outlive
  /// it.
  BusWorkers(const std::string& name, const DriverType& driver, std::vector<ConfiguredDevice> devices,
             std::vector<std::size_t> indices, FoundPoints& found, PointLists& lists, BusBoard& board,
             const BusContext& context, Deliver deliver);
  ~BusWorkers();

  void start();
  /// From any thread: something has happened to our `device`, ask it as soon as may be (Turns::hurry).
  /// `find_points`: it may have other points now.
  void hurry(std::size_t device, bool find_points);
  /// Puts one of ours into another class: its points and its pace follow with its next turn, which comes at
  /// once, and so does the result that says so. From any thread.
  void put_into_class(std::size_t device, ResourceClass resource_class, const AllClassTerms& classes);
  /// Sets a point of our `write.device` before anything else is read of it, and, on a line, before anything
  /// else is asked there. From any thread. What is still waiting when we are stopped is not written.
  void write(PointWrite write);
  /// Breaks off what is being asked.
  void request_stop();
  /// What is being asked is still asked and delivered, and nobody else.
  void request_finish();
  /// Waits until then at most.
  bool has_finished(std::chrono::steady_clock::time_point until);
  /// Nothing is delivered after it returns.
  void join();

 private:
  /// Somebody's turn may be sooner than those who wait believe. With mutex_ held.
  void look_again();
  struct NewClass {
    ResourceClass resource_class;
    AllClassTerms classes;
  };
  struct Seat {
    ConfiguredDevice device;
    std::size_t index = 0;
    Communication last = Communication::unknown;
    std::optional<Steady> asked_at{};  // while it lives
    bool has_points_to_find = false;
    Steady find_at{};                                         // when its points are looked for again
    std::shared_ptr<const DeviceDescription> news = nullptr;  // to go with the next result
    std::optional<NewClass> new_class = std::nullopt;         // guarded by mutex_
  };

  /// What a thread does next: a write, or a round of questions; nothing at all: stopped.
  struct Job {
    std::optional<PointWrite> write;
    std::vector<std::size_t> devices;
  };
  void run(std::size_t thread);
  /// For a pool whose threads may all be waiting for slow devices.
  void run_writes();
  /// Waits for a write, or somebody's turn, and takes all whose turn it is, as far as one thread can.
  Job next(std::size_t thread);
  /// One whose device nobody is asking. With mutex_ held.
  std::optional<PointWrite> take_write();
  void carry_out(PointWrite write);
  Result<WriteOutcome> written(const PointWrite& write);
  void release(std::size_t device);
  /// How long a round of them can take at the worst.
  std::chrono::milliseconds longest_round(const std::vector<std::size_t>& devices, Steady now) const;
  void note_lateness(Seat& seat, Steady now);
  /// Passes an answer on, and finds the device's points when it is time. False: back off.
  bool take(std::size_t device, Answer answer);
  Result<void> find_points(std::size_t device);
  void change_class(std::size_t device);
  void tell_change(Seat& seat, const Answer& answer);

  const Clock& clock_;
  Log log_;
  FoundPoints& found_;
  PointLists& lists_;
  Deliver deliver_;
  std::vector<Seat> seats_;
  std::stop_source stop_;
  std::unique_ptr<Bus> bus_;
  std::size_t thread_count_;
  std::shared_ptr<BusFigures> figures_;
  std::size_t most_at_once_;
  bool is_concurrent_;

  std::mutex mutex_;  // of the ten below
  std::condition_variable_any turn_came_;
  std::condition_variable thread_left_;
  std::size_t threads_left_ = 0;
  bool is_finishing_ = false;
  std::uint64_t turns_changed_ = 0;  // how often somebody's turn may have come sooner
  std::unique_ptr<Turns> turns_;
  std::deque<PointWrite> writes_;
  std::vector<bool> is_busy_;  // by device: somebody is asking it, or setting a point of it
  std::condition_variable_any released_;
  std::set<std::size_t> points_to_find_;  // of these devices, sooner than their hour
  std::vector<std::thread> threads_;
  std::thread writer_;
};

}  // namespace watchroom::agent
