// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "agent/judge/judge.hpp"
#include "agent/judge/kept_file.hpp"
#include "agent/polling/point_write.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/mailbox.hpp"

namespace watchroom::agent {

/// The judge in the running agent. Its thread has nothing to do with disk, log, broker or names, so that none
/// of them can hold it: polls come straight from the bus threads, writes go back to them. A second thread
/// tells what happened and keeps what must survive a restart. `clock` must outlive it.
class LocalJudge {
 public:
  struct Outputs {
    std::function<void(PointWrite)> write;                       ///< returns at once
    std::function<void(Timestamp at, const std::string&)> tell;  ///< for the journal
    std::function<void()> changed;                               ///< figures have; returns at once
    std::function<void()> now_and_then;                          ///< about every second, may take a while
  };

  LocalJudge(const std::filesystem::path& data_dir, const Clock& clock, Log log, Outputs outputs);
  LocalJudge(const LocalJudge&) = delete;
  LocalJudge& operator=(const LocalJudge&) = delete;
  ~LocalJudge();

  /// Other settings; while nothing is polled. The first time it begins with what was kept.
  void configure(const JudgeSettings& settings, const DeviceList& devices);
  void stop();

  // From any thread.
  /// Straight from a bus thread.
  void take(const PollResult& polled);
  void link_changed(bool is_up);
  JudgeFigures figures() const;

  // From any thread; they wait for the judge, not for the disk.
  // An error when there is nothing to judge.
  Result<void> inhibit(const std::string& owner, const std::string& reason,
                       std::chrono::milliseconds lasting);
  Result<void> end_inhibition(const std::string& by);
  /// Gives the names of the reactions.
  Result<std::string> reset(const std::string& reaction, const std::string& by);
  /// The way in for an order from outside, once it was found to be good.
  Result<void> order(std::uint64_t number, const OutputOrder& order);
  /// Before `configure` with other settings, while there is polling: ends the orders of outputs that these do
  /// not have, and waits until those are as they are to be without one, a few seconds at most.
  void let_go(const JudgeSettings& wanted);
  /// Waits until what was changed is on disk.
  Result<void> kept(std::chrono::milliseconds patience);

 private:
  using Errand = std::function<void(Judge&, Instant)>;
  using KeptPromise = std::shared_ptr<std::promise<Result<void>>>;
  using Telling = std::variant<JudgeNote, KeptByJudge, KeptPromise>;

  template <typename Answer>
  Result<Answer> asked(std::function<Result<Answer>(Judge&, Instant)> question);
  Instant now() const { return {clock_.steady(), clock_.now()}; }
  void run();
  void pass(Instant at);
  void tell();
  void take(JudgeNote& note);
  void take(KeptByJudge& kept);
  void take(KeptPromise& promise);

  const Clock& clock_;
  const Log log_;
  const Outputs outputs_;
  const KeptFile file_;
  Mailbox<Errand> errands_;
  Mailbox<Telling> tellings_;
  std::unique_ptr<Judge> judge_;             // of the judge's thread, once that runs
  std::vector<std::atomic<bool>> interest_;  // by device; made anew only while nothing is polled
  Result<void> last_kept_;                   // of the telling thread
  std::atomic<bool> is_link_up_ = false;
  std::atomic<bool> is_running_ = false;
  mutable std::mutex mutex_;  // of the next
  JudgeFigures figures_;
  std::thread judging_;
  std::thread telling_;
};

}  // namespace watchroom::agent
