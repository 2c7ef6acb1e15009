// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/drivers/gpio/board.hpp"
#include "agent/drivers/gpio/debounce.hpp"
#include "agent/drivers/gpio/unread_changes.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

struct gpiod_chip;
struct gpiod_line;

namespace watchroom::agent {

/// The input lines of a board, watched by a thread of its own: edges where the chip tells them, else by
/// looking often. `changed` is called on that thread when a level has settled. A line that cannot be had is
/// tried again. `clock` must outlive it.
class InputLines {
 public:
  InputLines(Board board, const Clock& clock, std::function<void()> changed);
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;
  ~InputLines();

  const Board& board() const { return board_; }
  /// Whether a line is active. Errors say what keeps it from being read.
  Result<SettledLevel> level(const std::string& line);

 private:
  struct Watched {
    BoardLine about;
    gpiod_chip* chip = nullptr;
    gpiod_line* line = nullptr;  // null: not open
    int edges = -1;              // descriptor; -1: the chip tells no edges
    std::optional<Debounce> debounce = {};
    std::optional<SettledLevel> settled = {};  // kept while the line is not open
    std::optional<Error> fault = {};
    Steady try_again_at{};
  };

  static void close(Watched& watched);
  void open(Watched& watched);
  void look(Watched& watched);
  void run();
  /// Opens what can be opened and looks at every line; gives the time of the next look.
  Steady look_at_all();
  void wait(Steady until);

  Board board_;
  const Clock& clock_;
  std::function<void()> changed_;
  std::mutex mutex_;  // of watched_
  std::vector<Watched> watched_;
  int stop_event_;
  std::thread thread_;
};

}  // namespace watchroom::agent
