// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/input_lines.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <gpiod.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr const char* consumer = "watchroom-agent";
constexpr auto try_again_after = 5s;
constexpr auto look_every = 10ms;       // at a line whose chip tells no edges
constexpr auto look_anyway_after = 1s;  // an edge may be lost in a storm of them

int flags_of(const BoardLine& line) {
  int flags = line.is_active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
  switch (line.bias) {
    case LineBias::as_is: break;
    case LineBias::disabled: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE; break;
    case LineBias::pull_up: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP; break;
    case LineBias::pull_down: flags |= GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN; break;
  }
  return flags;
}

Error fault_of(const BoardLine& line, std::string_view what) {
  return fail(Errc::not_connected, Retry::later, "line {}: {}: {}", line.name, what, std::strerror(errno));
}

}  // namespace

InputLines::InputLines(Board board, const Clock& clock, std::function<void()> changed)
    : board_{std::move(board)},
      clock_{clock},
      changed_{std::move(changed)},
      stop_event_{::eventfd(0, EFD_CLOEXEC)} {
  for (const BoardLine& line : board_.lines) watched_.push_back({.about = line});
  look_at_all();
  thread_ = std::thread{[this] { run(); }};
}

InputLines::~InputLines() {
  const std::uint64_t one = 1;
  if (::write(stop_event_, &one, sizeof one) < 0) std::abort();  // it would wait for ever
  thread_.join();
  for (Watched& watched : watched_) close(watched);
  ::close(stop_event_);
}

Result<SettledLevel> InputLines::level(const std::string& line) {
  const std::lock_guard lock{mutex_};
  const auto watched = std::ranges::find(watched_, line, [](const Watched& one) { return one.about.name; });
  if (watched == watched_.end())
    return fail(Errc::invalid, Retry::never, "{} has no line {}", board_.name, line);
  if (watched->fault) return *watched->fault;
  return *watched->settled;
}

void InputLines::close(Watched& watched) {
  if (watched.chip) gpiod_chip_close(watched.chip);  // and its lines
  watched.chip = nullptr;
  watched.line = nullptr;
  watched.edges = -1;
  watched.debounce.reset();
}

void InputLines::open(Watched& watched) {
  const BoardLine& about = watched.about;
  watched.try_again_at = clock_.steady() + try_again_after;
  const auto* kernel_name = std::get_if<std::string>(&about.where);
  if (!about.chip.empty()) {
    watched.chip = gpiod_chip_open_lookup(about.chip.c_str());
    if (!watched.chip) {
      watched.fault = fault_of(about, "no chip " + about.chip);
      return;
    }
    watched.line = kernel_name ? gpiod_chip_find_line(watched.chip, kernel_name->c_str())
                               : gpiod_chip_get_line(watched.chip, std::get<unsigned>(about.where));
  } else {
    watched.line = gpiod_line_find(kernel_name->c_str());
    if (watched.line) watched.chip = gpiod_line_get_chip(watched.line);
  }
  if (!watched.line) {
    watched.fault = fault_of(about, "not found");
    return close(watched);
  }
  gpiod_line_request_config how{consumer, GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES, flags_of(about)};
  if (gpiod_line_request(watched.line, &how, 0) == 0) {
    watched.edges = gpiod_line_event_get_fd(watched.line);
  } else {
    how.request_type = GPIOD_LINE_REQUEST_DIRECTION_INPUT;  // a chip without interrupts
    if (gpiod_line_request(watched.line, &how, 0) != 0) {
      watched.fault = fault_of(about, "cannot be had");
      return close(watched);
    }
  }
  watched.fault.reset();
}

void InputLines::look(Watched& watched) {
  const int level = gpiod_line_get_value(watched.line);
  if (level < 0) {
    watched.fault = fault_of(watched.about, "cannot be read");
    return close(watched);
  }
  if (watched.debounce)
    watched.debounce->see(level == 1, clock_.steady());
  else
    watched.debounce.emplace(level == 1, watched.about.debounce);
  const bool settled = watched.debounce->level(clock_.steady());
  if (!watched.settled)
    watched.settled = SettledLevel{settled, 0};
  else if (settled != watched.settled->level)
    watched.settled = SettledLevel{settled, watched.settled->changes + 1};
}

Steady InputLines::look_at_all() {
  const std::lock_guard lock{mutex_};
  const Steady now = clock_.steady();
  Steady next = now + look_anyway_after;
  for (Watched& watched : watched_) {
    if (!watched.line && now >= watched.try_again_at) open(watched);
    if (watched.line) look(watched);
    if (!watched.line) continue;
    if (watched.edges < 0) next = std::min(next, now + look_every);
    if (const auto settles = watched.debounce->settles_at(now)) next = std::min(next, *settles);
  }
  return next;
}

void InputLines::run() {
  std::map<std::string, std::uint64_t> told;
  while (true) {
    const Steady next = look_at_all();
    bool is_news = false;
    for (const BoardLine& line : board_.lines)
      if (const auto now = level(line.name)) {
        std::uint64_t& before = told.try_emplace(line.name, now->changes).first->second;
        is_news |= before != now->changes;
        before = now->changes;
      }
    if (is_news) changed_();
    wait(next);
    pollfd stop{stop_event_, POLLIN, 0};
    if (::poll(&stop, 1, 0) > 0) return;
  }
}

void InputLines::wait(Steady until) {
  std::vector<pollfd> descriptors{{stop_event_, POLLIN, 0}};
  {
    const std::lock_guard lock{mutex_};
    for (const Watched& watched : watched_)
      if (watched.edges >= 0) descriptors.push_back({watched.edges, POLLIN | POLLPRI, 0});
  }
  const auto longest = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.steady());
  ::poll(descriptors.data(), descriptors.size(), static_cast<int>(std::max(longest, 1ms).count()));
  for (std::size_t i = 1; i < descriptors.size(); ++i) {
    if (descriptors[i].revents == 0) continue;
    std::array<gpiod_line_event, 16> events{};  // what they say is looked at instead
    gpiod_line_event_read_fd_multiple(descriptors[i].fd, events.data(), events.size());
  }
}

}  // namespace watchroom::agent
