// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/run.hpp"

#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include <malloc.h>

#include "agent/core/agent.hpp"
#include "agent/link/link.hpp"
#include "agent/polling_field.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_wrong_input = 2;

/// SIGTERM, SIGINT and SIGHUP, blocked in every thread that is started later.
class Signals {
 public:
  Signals() {
    sigemptyset(&signals_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // a broken connection is told by its error
  }
  /// True: read the settings anew. False: stop; a second such signal ends us at once.
  bool wait() {
    int signal = 0;
    sigwait(&signals_, &signal);
    if (signal == SIGHUP) return true;
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
    return false;
  }

 private:
  sigset_t signals_{};
};

JournalSettings journal_settings(const AgentSettings& settings) {
  JournalSettings journal;
  journal.ack_hosts = settings.journal.ack_hosts;
  journal.urgent_commit = settings.journal.urgent_commit;
  journal.commit = settings.journal.commit;
  journal.max_size_bytes = static_cast<std::uint64_t>(settings.journal.max_size_bytes);
  journal.max_memory_bytes = static_cast<std::uint64_t>(settings.journal.max_memory_bytes);
  journal.max_age = settings.journal.max_age;
  return journal;
}

EdgeNodeSettings edge_node_settings(const AgentSettings& settings) {
  return {settings.site,
          settings.agent,
          settings.name,
          settings.journal.ack_hosts,
          settings.journal.replay_records_per_s,
          std::random_device{}()};
}

/// A name server that is silent must not hold the end of the program; what it does not answer is asked again
/// with the next attempt. Environment: before there are threads.
void keep_name_lookups_short() { ::setenv("RES_OPTIONS", "timeout:2 attempts:1", 0); }

/// Threads that each keep a heap of their own hold most of it for nothing.
void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

DeviceList descriptions_of(const AgentSettings& settings, const DeviceList& before) {
  DeviceList devices;
  for (const ConfiguredDevice& device : settings.devices) {
    // One that is as it was stays the same object: its reports go on as if nothing had been.
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const auto& known) { return *known == device.description; });
    devices.push_back(same != before.end() ? *same
                                           : std::make_shared<const DeviceDescription>(device.description));
  }
  return devices;
}

/// What only a restart can change.
bool needs_restart(const AgentSettings& running, const AgentSettings& wanted) {
  return running.site != wanted.site || running.agent != wanted.agent || running.name != wanted.name ||
         running.data_dir != wanted.data_dir || running.broker != wanted.broker ||
         running.journal != wanted.journal || running.log_level != wanted.log_level;
}

/// The running agent: built from the settings in this order, taken down in the other.
class Running {
 public:
  Running(AgentSettings settings, std::unique_ptr<Journal> journal, AgentClock& clock, Log log)
      : settings_{std::move(settings)},
        log_{std::move(log)},
        journal_{std::move(journal)},
        field_{clock, log_},
        link_{settings_.broker, fmt::format("watchroom-{}-{}", settings_.site, settings_.agent),
              log_.tagged("mqtt")},
        devices_{prepared_devices()},
        agent_{edge_node_settings(settings_), devices_, *journal_, link_, field_, clock,
               ClockFacts::of_this_machine(), log_} {}

  Result<void> start() {
    if (auto started = link_.start(agent_.mailbox()); !started) return started;
    log_.info("watchroom-agent {} runs {}/{}: {} devices, journal {} at record {}", WATCHROOM_VERSION,
              settings_.site, settings_.agent, devices_.size(), to_hex(journal_->id()), journal_->head());
    core_ = std::thread{[this] { agent_.run(); }};
    start_polling();
    return {};
  }

  /// Other devices, classes and profiles. What was polled until then is reported first, and nothing in
  /// between is lost: no bus is asked while the devices change.
  void read_anew(const std::filesystem::path& file) {
    Problems problems;
    auto wanted = AgentSettings::load(file, problems);
    if (!wanted || !problems.empty()) {
      log_.error("{} was not taken, the agent goes on as before:\n{}", file.string(), problems.str());
      return;
    }
    for (const Problem& warning : problems.warnings()) log_.warning("{}", warning.str());
    if (needs_restart(settings_, *wanted))
      log_.warning("{}: changes outside of devices, classes and profiles need a restart", file.string());
    field_.stop();
    settings_.classes = wanted->classes;
    settings_.profiles_dir = wanted->profiles_dir;
    settings_.point_lists = wanted->point_lists;
    settings_.devices = std::move(wanted->devices);
    const DeviceList before = devices_;
    devices_ = prepared_devices();
    agent_.mailbox().put(Reconfigured{devices_});
    start_polling();
    log_.info("{} was read anew: {} devices, {} before", file.string(), devices_.size(), before.size());
  }

  void stop() {
    log_.info("stopping");
    field_.stop();
    agent_.request_stop();
    core_.join();
    link_.stop(5s);
  }

 private:
  DeviceList prepared_devices() {
    if (devices_.empty()) field_.given_before(journal_->classes());
    field_.prepare(settings_);
    return descriptions_of(settings_, devices_);
  }
  void start_polling() {
    field_.start(settings_, [this](PollResult polled) { agent_.mailbox().put(std::move(polled)); });
    ::malloc_trim(0);  // reading the settings took more than keeping them
  }

  AgentSettings settings_;
  const Log log_;
  std::unique_ptr<Journal> journal_;
  PollingField field_;
  Link link_;
  DeviceList devices_;
  Agent agent_;
  std::thread core_;
};

}  // namespace

int run_command(const std::filesystem::path& settings_file) {
  keep_heap_small();
  Problems problems;
  auto settings = AgentSettings::load(settings_file, problems);
  if (!settings || !problems.empty()) {
    std::cerr << problems.str() << '\n';
    return exit_wrong_input;
  }
  const Log log = Log::to_stderr(settings->log_level);
  for (const Problem& warning : problems.warnings()) log.warning("{}", warning.str());
  keep_name_lookups_short();
  Signals signals;
  const SystemClock machine_clock;
  AgentClock clock{machine_clock};
  auto journal = Journal::open(settings->data_dir / "journal.sqlite", journal_settings(*settings), clock,
                               log.tagged("journal"));
  if (!journal) {
    log.error("{}", journal.error().text);
    return exit_failed;
  }
  Running agent{*std::move(settings), *std::move(journal), clock, log};
  if (auto started = agent.start(); !started) {
    log.error("{}", started.error().text);
    return exit_wrong_input;
  }
  while (signals.wait()) agent.read_anew(settings_file);
  agent.stop();
  return exit_ok;
}

}  // namespace watchroom::agent
