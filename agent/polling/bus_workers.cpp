// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/bus_workers.hpp"

#include <algorithm>
#include <utility>

#include "agent/polling/pool_schedule.hpp"
#include "agent/polling/schedule.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// Rows come and go with a module that is plugged in; a walk of all tables costs more than a reading.
constexpr auto find_interval = 1h;
constexpr auto find_again_after_failure = 1min;

// A thread that waits comes by when it said, give or take a busy machine.
constexpr auto grace = 1min;

/// At the worst each request brings one point, is sent twice, and is waited for as long as the device's reply
/// time-out each time; of a slow Modbus unit up to four times as long.
std::chrono::milliseconds longest_requests(const ConfiguredDevice& device, std::size_t requests) {
  constexpr std::size_t tries = 2, longest_patience = 4;
  return device.reply_timeout * static_cast<int>(tries * longest_patience * requests);
}
std::chrono::milliseconds longest_reading(const ConfiguredDevice& device) {
  constexpr std::size_t for_identity_and_connection = 4;
  return longest_requests(device, device.sources.size() + for_identity_and_connection);
}
/// Rows of tables are not known beforehand.
std::chrono::milliseconds longest_finding(const ConfiguredDevice& device) {
  constexpr std::size_t rows = 200;
  return longest_requests(device, rows);
}

std::size_t threads_for(const DriverType& driver, std::size_t devices) {
  // When a network falls silent each device costs a thread its time-out, and those that live are not to wait.
  constexpr std::size_t least = 4, most = 64;
  const std::size_t devices_a_thread = driver.most_at_once > 1 ? 160 : 10;
  return driver.is_concurrent ? std::clamp(devices / devices_a_thread, std::min(devices, least), most) : 1;
}

std::unique_ptr<Turns> turns_for(const std::vector<ConfiguredDevice>& devices, std::size_t threads,
                                 bool is_concurrent, Steady start) {
  std::vector<std::chrono::milliseconds> intervals;
  for (const ConfiguredDevice& device : devices) intervals.push_back(device.description.poll_interval);
  if (is_concurrent) return std::make_unique<PoolSchedule>(intervals, static_cast<int>(threads), start);
  return std::make_unique<Schedule>(intervals, start);
}

}  // namespace

BusWorkers::BusWorkers(const std::string& name, const DriverType& driver,
                       std::vector<ConfiguredDevice> devices, std::vector<std::size_t> indices,
                       FoundPoints& found, PointLists& lists, BusBoard& board, const BusContext& context,
                       Deliver deliver)
    : clock_{context.clock},
      log_{context.log},
      found_{found},
      lists_{lists},
      deliver_{std::move(deliver)},
      thread_count_{threads_for(driver, devices.size())},
      figures_{board.add(name, devices.size(), thread_count_)},
      most_at_once_{driver.most_at_once},
      is_concurrent_{driver.is_concurrent},
      turns_{turns_for(devices, thread_count_, driver.is_concurrent, clock_.steady())},
      is_busy_(devices.size()) {
  BusContext ours = context;
  ours.stop = stop_.get_token();
  ours.hurry = [this](std::size_t device) { hurry(device, false); };
  bus_ = driver.make(devices, std::move(ours));
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const bool has_points_to_find = watchroom::agent::has_points_to_find(*devices[i].profile);
    seats_.push_back(
        {.device = std::move(devices[i]), .index = indices[i], .has_points_to_find = has_points_to_find});
  }
}

BusWorkers::~BusWorkers() {
  request_stop();
  join();
  bus_.reset();  // while what it may still hurry is there
}

void BusWorkers::start() {
  for (std::size_t i = 0; i < thread_count_; ++i) threads_.emplace_back([this, i] { run(i); });
  const bool has_writable = std::any_of(seats_.begin(), seats_.end(), [](const Seat& seat) {
    const auto& points = seat.device.profile->points;
    return std::any_of(points.begin(), points.end(), [](const auto& point) { return point.is_writable; });
  });
  if (has_writable && is_concurrent_) writer_ = std::thread{[this] { run_writes(); }};
}

void BusWorkers::hurry(std::size_t device, bool find_points) {
  const std::lock_guard lock{mutex_};
  if (find_points) points_to_find_.insert(device);
  turns_->hurry(device, clock_.steady());
  look_again();
}

void BusWorkers::write(PointWrite write) {
  const std::lock_guard lock{mutex_};
  writes_.push_back(std::move(write));
  look_again();
  released_.notify_all();
}

void BusWorkers::look_again() {
  ++turns_changed_;
  turn_came_.notify_one();
}

void BusWorkers::request_stop() { stop_.request_stop(); }

void BusWorkers::request_finish() {
  const std::lock_guard lock{mutex_};
  is_finishing_ = true;
  ++turns_changed_;
  turn_came_.notify_all();
  released_.notify_all();
}

bool BusWorkers::has_finished(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock{mutex_};
  return thread_left_.wait_until(lock, until, [this] { return threads_left_ == threads_.size(); });
}

void BusWorkers::join() {
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  if (writer_.joinable()) writer_.join();
}

void BusWorkers::run(std::size_t thread) {
  while (true) {
    Job job = next(thread);
    if (job.write) {
      figures_->comes_by(thread,
                         clock_.steady() + grace + longest_requests(seats_[job.write->device].device, 4));
      carry_out(*std::move(job.write));
      continue;
    }
    const std::vector<std::size_t>& devices = job.devices;
    if (devices.empty()) break;
    const Steady began = clock_.steady();
    figures_->comes_by(thread, began + longest_round(devices, began));
    for (const std::size_t device : devices) {
      note_lateness(seats_[device], began);
      change_class(device);
    }
    bus_->read_several(devices, [&](std::size_t device, Answer answer) {
      const bool answered = take(device, std::move(answer));
      const std::lock_guard lock{mutex_};
      turns_->asked(device, began, clock_.steady(), answered);
      release(device);
      look_again();
    });
    figures_->was_busy(clock_.steady() - began);
  }
  figures_->leaves(thread);
  const std::lock_guard lock{mutex_};
  ++threads_left_;
  thread_left_.notify_all();
}

std::chrono::milliseconds BusWorkers::longest_round(const std::vector<std::size_t>& devices,
                                                    Steady now) const {
  std::chrono::milliseconds reading{0}, finding{0};  // all are read at a time, and looked through one by one
  for (const std::size_t device : devices) {
    const Seat& seat = seats_[device];
    reading = std::max(reading, longest_reading(seat.device));
    if (seat.has_points_to_find && now >= seat.find_at) finding += longest_finding(seat.device);
  }
  return std::min<std::chrono::milliseconds>(grace + reading + finding, 15min);
}

/// The turns keep a rhythm, so a poll is late by what its distance to the last one exceeds the interval.
void BusWorkers::note_lateness(Seat& seat, Steady now) {
  const auto interval = seat.device.description.poll_interval;
  if (seat.last == Communication::ok && seat.asked_at && now - *seat.asked_at > interval)
    figures_->was_late(now - *seat.asked_at - interval);
  seat.asked_at = now;
}

BusWorkers::Job BusWorkers::next(std::size_t thread) {
  std::unique_lock lock{mutex_};
  const std::stop_token stop = stop_.get_token();
  while (!stop.stop_requested() && !is_finishing_) {
    if (auto write = take_write()) {
      look_again();
      return {std::move(write), {}};
    }
    const Steady now = clock_.steady();
    const std::vector<std::size_t> devices = turns_->next_several(now, most_at_once_);
    for (const std::size_t device : devices) {
      // One that is just being set is not asked meanwhile.
      released_.wait(lock, [&] { return !is_busy_[device]; });
      is_busy_[device] = true;
      if (points_to_find_.erase(device) > 0) seats_[device].find_at = now;
    }
    if (!devices.empty()) {
      look_again();  // somebody else may be due as well
      return {std::nullopt, devices};
    }
    const auto pause = turns_->wake_at(now) - now;
    figures_->comes_by(thread, now + pause + grace);
    turn_came_.wait_until(lock, stop, std::chrono::steady_clock::now() + pause,
                          [this, before = turns_changed_] { return turns_changed_ != before; });
  }
  return {};
}

void BusWorkers::run_writes() {
  std::unique_lock lock{mutex_};
  const std::stop_token stop = stop_.get_token();
  while (!stop.stop_requested() && !is_finishing_) {
    if (auto write = take_write()) {
      lock.unlock();
      carry_out(*std::move(write));
      lock.lock();
      continue;
    }
    released_.wait(lock, stop, [this] {
      return is_finishing_ || std::any_of(writes_.begin(), writes_.end(), [this](const PointWrite& write) {
               return !is_busy_[write.device];
             });
    });
  }
}

std::optional<PointWrite> BusWorkers::take_write() {
  const auto found = std::find_if(writes_.begin(), writes_.end(),
                                  [this](const PointWrite& write) { return !is_busy_[write.device]; });
  if (found == writes_.end()) return std::nullopt;
  PointWrite write = std::move(*found);
  writes_.erase(found);
  is_busy_[write.device] = true;
  return write;
}

/// With mutex_ held.
void BusWorkers::release(std::size_t device) {
  is_busy_[device] = false;
  released_.notify_all();
}

void BusWorkers::carry_out(PointWrite write) {
  const Steady began = clock_.steady();
  const bool is_late = write.not_after && began > *write.not_after;
  Result<WriteOutcome> outcome =
      is_late ? fail(Errc::cancelled, Retry::never, "it was not written: its turn on the bus came too late")
              : written(write);
  figures_->was_busy(clock_.steady() - began);
  {
    const std::lock_guard lock{mutex_};
    release(write.device);
    turns_->hurry(write.device, clock_.steady());  // what was set is to be seen
    look_again();
  }
  write.done(std::move(outcome));
}

Result<WriteOutcome> BusWorkers::written(const PointWrite& write) {
  const ConfiguredDevice& device = seats_[write.device].device;
  std::size_t i = 0;
  for (const PointDescription& point : device.description.points) {
    if (point.name.str() == write.point) return bus_->write(write.device, device.sources[i], write.value);
    ++i;
  }
  // An optional point that was not found yet, or that the class leaves out, is where its profile says.
  for (const ProfilePoint& point : device.profile->points)
    if (!point.is_table() && point.name == write.point)
      return bus_->write(write.device, point.source, write.value);
  return fail(Errc::not_found, Retry::later, "{} was not found in the device yet", write.point);
}

bool BusWorkers::take(std::size_t device, Answer answer) {
  Seat& seat = seats_[device];
  const Communication before = seat.last;
  if (answer.communication == Communication::ok && seat.has_points_to_find &&
      clock_.steady() >= seat.find_at) {
    const auto found = find_points(device);
    if (seat.news)
      answer = bus_->read(device);
    else if (!found && seat.device.sources.empty())
      answer = silent_answer(found.error(), 0, clock_.now());
  }
  if (answer.communication == Communication::ok && seat.device.sources.empty())
    answer = silent_answer(
        fail(Errc::refused, Retry::later, "the device answers, but none of its profile's points was found"),
        0, clock_.now());
  if (stop_.stop_requested()) return true;  // an exchange that was broken off says nothing
  tell_change(seat, answer);
  figures_->asked(before, seat.last);
  deliver_({.device = seat.index,
            .communication = answer.communication,
            .communication_text = std::move(answer.text),
            .polled_at = clock_.now(),
            .readings = std::move(answer.readings),
            .description = std::exchange(seat.news, nullptr)});
  return seat.last == Communication::ok;
}

Result<void> BusWorkers::find_points(std::size_t device) {
  Seat& seat = seats_[device];
  const auto now_found = bus_->discover(device);
  if (!now_found) {
    seat.find_at = clock_.steady() + find_again_after_failure;
    if (!stop_.stop_requested())
      log_.warning("{}: its points cannot be looked for: {}", seat.device.description.id,
                   now_found.error().text);
    return now_found.error();
  }
  seat.find_at = clock_.steady() + find_interval;
  const auto before = seat.device.description.points;
  const auto called_before = seat.device.description.called;
  set_points(seat.device, found_.add(seat.device, *now_found, clock_.steady()), lists_);
  if (seat.device.description.points.is_same(before) &&
      seat.device.description.called.items() == called_before.items())
    return {};
  log_.info("{}: {} points, {} before", seat.device.description.id, seat.device.sources.size(),
            before.size());
  bus_->use(device, seat.device.sources);
  seat.news = std::make_shared<const DeviceDescription>(seat.device.description);
  return {};
}

void BusWorkers::put_into_class(std::size_t device, ResourceClass resource_class,
                                const AllClassTerms& classes) {
  const std::lock_guard lock{mutex_};
  seats_[device].new_class = NewClass{resource_class, classes};
  turns_->hurry(device, clock_.steady());
  look_again();
}

void BusWorkers::change_class(std::size_t device) {
  Seat& seat = seats_[device];
  {
    const std::lock_guard lock{mutex_};
    const auto wanted = std::exchange(seat.new_class, std::nullopt);
    if (!wanted) return;
    watchroom::agent::put_into_class(seat.device, wanted->resource_class, wanted->classes);
    turns_->set_interval(device, seat.device.description.poll_interval, clock_.steady());
  }
  set_points(seat.device, found_.of(seat.device), lists_);
  bus_->use(device, seat.device.sources);
  seat.news = std::make_shared<const DeviceDescription>(seat.device.description);
  log_.info("{}: class {}, asked every {} ms, {} points", seat.device.description.id,
            name_of(seat.device.description.resource_class), seat.device.description.poll_interval.count(),
            seat.device.sources.size());
}

void BusWorkers::tell_change(Seat& seat, const Answer& answer) {
  const Communication before = std::exchange(seat.last, answer.communication);
  if (before == answer.communication) return;
  const std::string& id = seat.device.description.id;
  if (answer.communication != Communication::ok) {
    log_.warning("{}: {}", id, answer.text);
  } else if (before != Communication::unknown) {
    log_.info("{}: answers again", id);
    seat.find_at = clock_.steady();  // it may have come back with another module in it
  }
}

}  // namespace watchroom::agent
