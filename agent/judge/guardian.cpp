// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/guardian.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/drivers/driver.hpp"
#include "agent/judge/control_socket.hpp"
#include "agent/polling/found_points.hpp"
#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr char go_away = 'g';
// The unit gives us 30 s; a new agent waits for us as long as this, and a second more.
constexpr auto longest_try = 10s, lock_patience = 2s;
constexpr auto pause_between = 500ms;

/// Where a point of the device is, as far as that is known.
std::optional<PointSource> source_of(const ConfiguredDevice& device, const std::string& point) {
  std::size_t i = 0;
  for (const PointDescription& one : device.description.points) {
    if (one.name.str() == point) return device.sources[i];
    ++i;
  }
  for (const ProfilePoint& one : device.profile->points)
    if (!one.is_table() && one.name == point) return one.source;
  return std::nullopt;
}

/// A row of a table is where it was last found, else where it is found now.
std::optional<PointSource> found_source(Bus& bus, ConfiguredDevice device, const std::string& point,
                                        PointLists& lists) {
  const auto found = bus.discover(0);
  if (!found) return std::nullopt;
  set_points(device, *found, lists);
  return source_of(device, point);
}

/// What is needed on the day, and nothing else.
class Wards {
 public:
  Wards(AgentSettings settings, const Clock& clock, const Log& log)
      : clock_{clock}, log_{log}, lists_{settings.point_lists}, data_dir_{settings.data_dir} {
    FoundPoints found{settings.data_dir, Log::quiet()};
    for (const DriverType* driver : driver_types()) driver->prepare(settings.data_dir);
    for (const OutputSettings& output : settings.judge.outputs) {
      if (output.on_agent_death == Drive::keep) continue;
      ConfiguredDevice& device = settings.devices[output.device];
      if (has_points_to_find(*device.profile)) set_points(device, found.of(device), *lists_);
      outputs_.push_back({output, device, source_of(device, output.point)});
    }
  }

  /// Those that are not as declared are tried again until then. One bus does not wait for another.
  void work(std::chrono::steady_clock::time_point until) {
    std::map<std::string, std::vector<Output*>> by_bus;
    for (Output& output : outputs_) by_bus[output.device.address.bus()].push_back(&output);
    std::vector<std::jthread> threads;
    for (auto& [name, outputs] : by_bus)
      threads.emplace_back([this, until, ours = std::move(outputs)] { work(ours, until); });
  }

 private:
  struct Output {
    OutputSettings settings;
    ConfiguredDevice device;
    std::optional<PointSource> source;
  };

  void work(std::vector<Output*> left, std::chrono::steady_clock::time_point until) {
    bool is_first = true;
    while (true) {
      std::erase_if(left, [&](Output* output) { return set(*output, is_first); });
      if (left.empty()) return;
      if (std::chrono::steady_clock::now() >= until) break;
      is_first = false;
      std::this_thread::sleep_for(pause_between);
    }
    for (const Output* output : left) log_.error("output {} was given up", output->settings.name);
  }

  bool set(Output& output, bool is_first) {
    const DriverType& driver = *driver_named(output.device.address.driver());
    const auto bus = driver.make({output.device}, {clock_, log_, data_dir_, {}});
    if (!output.source) output.source = found_source(*bus, output.device, output.settings.point, *lists_);
    if (!output.source) {
      if (is_first) log_.error("output {}: {} was not found", output.settings.name, output.settings.point);
      return false;
    }
    const Drive drive = output.settings.on_agent_death;
    const auto outcome = bus->write(0, *output.source, Value{output.settings.code_of(drive)});
    const bool has_worked = outcome && outcome->agrees;
    if (has_worked)
      log_.warning("output {} is {} now, as declared for the agent's end", output.settings.name,
                   name_of(drive));
    else if (is_first)
      log_.error("output {} cannot be switched {}, and is tried again: {}", output.settings.name,
                 name_of(drive),
                 !outcome                 ? outcome.error().text
                 : outcome->doubt.empty() ? "it was written, but is not so"
                                          : outcome->doubt);
    return has_worked;
  }

  const Clock& clock_;
  const Log& log_;
  std::shared_ptr<PointLists> lists_;
  std::filesystem::path data_dir_;
  std::vector<Output> outputs_;
};

/// True: the agent has died. False: we are not needed any more.
bool wait_for_death() {
  char told = 0;
  ssize_t size = 0;
  do size = ::read(STDIN_FILENO, &told, 1);
  while (size < 0 && errno == EINTR);
  return size == 0;
}

/// A dying process may hold its lock a moment longer than its pipe; a new agent holds it for good.
bool take_over(OutputsLock& lock, const std::filesystem::path& data_dir, const Log& log) {
  const auto until = std::chrono::steady_clock::now() + lock_patience;
  while (true) {
    const auto taken = lock.take(data_dir);
    if (taken) return true;
    if (taken.error().code != Errc::conflict) {
      log.warning("{}: the outputs are set all the same", taken.error().text);
      return true;
    }
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(50ms);
  }
}

}  // namespace

bool needs_guardian(const JudgeSettings& settings) {
  return std::any_of(settings.outputs.begin(), settings.outputs.end(),
                     [](const OutputSettings& output) { return output.on_agent_death != Drive::keep; });
}

Guardian::Guardian(std::filesystem::path settings_file, Log log)
    : settings_file_{std::filesystem::absolute(settings_file)}, log_{std::move(log)} {}

void Guardian::renew(const JudgeSettings& settings) {
  const std::lock_guard lock{mutex_};
  const pid_t before = std::exchange(process_, -1);
  const int pipe_before = std::exchange(pipe_, -1);
  is_needed_ = needs_guardian(settings);
  if (is_needed_) start();
  if (before < 0) return;
  [[maybe_unused]] const auto told = ::write(pipe_before, &go_away, 1);
  ::close(pipe_before);
  ::waitpid(before, nullptr, 0);  // it does nothing but read that byte
}

/// A new program, not a copy of this one: with threads a copy could only do what signal handlers may.
void Guardian::start() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    log_.error("no guardian: {}", std::strerror(errno));
    return;
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // What is sent to our group, such as Ctrl-C, is not for it.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string program = "/proc/self/exe", command = "guard", file = settings_file_.string();
  std::array<char*, 4> arguments{program.data(), command.data(), file.data(), nullptr};
  const int failed =
      ::posix_spawn(&process_, program.c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  ::close(ends[0]);
  if (failed != 0) {
    log_.error("no guardian: {}", std::strerror(failed));
    ::close(ends[1]);
    process_ = -1;
    return;
  }
  pipe_ = ends[1];
}

void Guardian::look(Steady now) {
  const std::lock_guard lock{mutex_};
  if (!is_needed_) return;
  int status = 0;
  if (process_ >= 0 && ::waitpid(process_, &status, WNOHANG) != process_) return;
  constexpr auto patience = 10s;
  if (replaced_at_ && now - *replaced_at_ < patience) return;
  replaced_at_ = now;
  if (process_ >= 0) {
    log_.error("the guardian has ended ({}): another one is started", status);
    ::close(pipe_);
    process_ = pipe_ = -1;
  }
  start();
}

int guard_command(const std::filesystem::path& settings_file, const LoadSettings& load) {
  // Whoever ends the agent is not to end us: systemd tells all of a unit, a terminal all of a group.
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::close_range(3, ~0U, 0);
  Problems problems;
  auto settings = load(settings_file, problems);
  const Log log = Log::to_stderr(LogLevel::info).tagged("guardian");
  if (!settings) {
    log.error("cannot guard, for the settings were changed meanwhile:\n{}", problems.str());
    return 2;
  }
  const std::filesystem::path data_dir = settings->data_dir;
  const SystemClock clock;
  Wards wards{*std::move(settings), clock, log};
  settings.reset();
  ::malloc_trim(0);
  if (!wait_for_death()) return 0;
  OutputsLock lock;
  if (!take_over(lock, data_dir, log)) {
    log.info("a new agent has the outputs");
    return 0;
  }
  log.warning("the agent has ended: its outputs get the states that are declared for that");
  wards.work(std::chrono::steady_clock::now() + longest_try);
  return 0;
}

}  // namespace watchroom::agent
