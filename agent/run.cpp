// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/run.hpp"

#include <csignal>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include <malloc.h>

#include "agent/core/agent.hpp"
#include "agent/drivers/snmp/trap_receiver.hpp"
#include "agent/enrolment/renewal.hpp"
#include "agent/judge/control_socket.hpp"
#include "agent/judge/guardian.hpp"
#include "agent/judge/judge_commands.hpp"
#include "agent/judge/local_judge.hpp"
#include "agent/link/link.hpp"
#include "agent/orders/central_configuration.hpp"
#include "agent/orders/order_box.hpp"
#include "agent/orders/order_intake.hpp"
#include "agent/polling_field.hpp"
#include "agent/self/self_watch.hpp"
#include "proto/base/command_line.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// Devices that are as they were are not to be unwatched for longer because of one that is slow.
constexpr auto longest_pause_to_read_anew = 2s;
// A guardian gives up after 10 s.
constexpr auto longest_wait_for_outputs = 11s;

constexpr int exit_ok = command_line::done;
constexpr int exit_failed = command_line::failed;
constexpr int exit_wrong_input = command_line::wrong_input;

/// What the main thread is woken by.
enum class Wake { stop, read_anew, orders, time };

/// SIGTERM, SIGINT, SIGHUP and that of the orders, blocked in every thread that is started later.
class Signals {
 public:
  Signals() {
    sigemptyset(&signals_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, OrderBox::signal}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // a broken connection is told by its error
  }
  /// After stop a second signal ends us at once.
  Wake wait(std::optional<std::chrono::seconds> longest) {
    int signal = 0;
    if (longest) {
      const timespec patience{longest->count(), 0};
      signal = sigtimedwait(&signals_, nullptr, &patience);
      if (signal < 0) return Wake::time;
    } else {
      sigwait(&signals_, &signal);
    }
    if (signal == SIGHUP) return Wake::read_anew;
    if (signal == OrderBox::signal) return Wake::orders;
    // What comes now is too late, and must not end us.
    std::signal(SIGHUP, SIG_IGN);
    std::signal(OrderBox::signal, SIG_IGN);
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
    return Wake::stop;
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

EdgeNodeSettings edge_node_settings(const AgentSettings& settings, Challenges& challenges) {
  return {settings.site,
          settings.agent,
          settings.name,
          settings.journal.ack_hosts,
          settings.journal.replay_records_per_s,
          std::random_device{}(),
          [&challenges] { return challenges.fresh(); }};
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
  // Behind those of the configuration: results of theirs name them by their place.
  if (settings.self.is_enabled)
    devices.push_back(std::make_shared<const DeviceDescription>(SelfDevice::description(true)));
  return devices;
}

SelfWatchSettings self_settings(const AgentSettings& settings) {
  SelfWatchSettings self{
      .files = {settings.data_dir, settings.broker.ca_file, settings.broker.certificate_file},
      .device = std::nullopt,
      .metrics = settings.self.metrics,
      .tells_events = true};
  if (settings.self.is_enabled) self.device = settings.devices.size();
  return self;
}

/// Whole characters of UTF-8.
std::string shortened(std::string text) {
  constexpr std::size_t longest = 2000;
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + " …";
}

IdentityFiles identity_files_of(const AgentSettings& settings) {
  return {settings.site, settings.agent, settings.broker.ca_file, settings.broker.certificate_file,
          settings.broker.key_file};
}

/// A power cut may have come between two files. What is wrong with the settings is told when they are read.
void finish_replacement_of(const std::filesystem::path& settings_file) {
  Problems ignored;
  const auto files = IdentityFiles::read(settings_file, ignored);
  if (!files) return;
  if (const auto finished = finish_replacement(files->pair()); !finished)
    std::cerr << "watchroom-agent: " << finished.error().text << '\n';
}

/// What only a restart can change.
bool needs_restart(const AgentSettings& running, const AgentSettings& wanted) {
  return running.site != wanted.site || running.agent != wanted.agent || running.name != wanted.name ||
         running.data_dir != wanted.data_dir || running.broker != wanted.broker ||
         running.journal != wanted.journal || running.log_level != wanted.log_level ||
         running.self != wanted.self || running.enrolment != wanted.enrolment ||
         running.configuration_trial != wanted.configuration_trial;
}

/// The running agent: built from the settings in this order, taken down in the other.
class Running {
 public:
  Running(AgentSettings local, std::filesystem::path file, std::unique_ptr<Journal> journal,
          const Notifier& notifier, AgentClock& clock, Log log)
      : file_{std::move(file)},
        challenges_{clock},
        intake_{OrderDesk{local.data_dir / "orders", local.broker.ca_file, local.site, local.agent}, clock,
                challenges_},
        central_{file_, local, clock, log},
        settings_{central_.begin().value_or(std::move(local))},
        notifier_{notifier},
        clock_{clock},
        log_{std::move(log)},
        journal_{std::move(journal)},
        field_{clock, board_, log_, journal_->classes()},
        link_{settings_.broker, fmt::format("watchroom-{}-{}", settings_.site, settings_.agent),
              [&clock] { return clock.certificate_time(); }, log_.tagged("mqtt")},
        devices_{prepared_devices({})},
        agent_{edge_node_settings(settings_, challenges_),
               devices_,
               *journal_,
               link_,
               field_,
               clock,
               ClockFacts::of_this_machine(),
               log_},
        self_{self_settings(settings_),
              {[this] { return board_.take(); }, [this] { return agent_.figures(); },
               [this] { return field_.traps().counts(); }, [this] { return judge_.figures(); },
               [this] { return central_.report(); }, [this] { return intake_.figures(); }},
              [this](PollResult polled) { agent_.mailbox().put(std::move(polled)); },
              notifier,
              clock,
              log_.tagged("self")},
        guardian_{file_, log_.tagged("guardian")},
        judge_{settings_.data_dir,
               clock,
               log_.tagged("judge"),
               {[this](PointWrite write) { field_.write(std::move(write)); },
                [this](Timestamp at, const std::string& text) {
                  const std::lock_guard lock{self_mutex_};
                  agent_.mailbox().put(DeviceEvent{self_index_, at, text});
                },
                [this] { self_.poll_soon(); }, [this] { guardian_.look(clock_.steady()); }}} {
    if (settings_.enrolment)
      renewal_ = std::make_unique<Renewal>(*settings_.enrolment, identity_files_of(settings_), clock,
                                           log_.tagged("enrolment"), [this] { link_.reconnect(); });
  }

  Result<void> start() {
    take_outputs();
    const auto link_changed = [this](bool is_up) { judge_.link_changed(is_up); };
    if (auto started = link_.start(agent_.mailbox(), link_changed); !started) return started;
    log_.info("watchroom-agent {} runs {}/{}: {} devices, journal {} at record {}", WATCHROOM_VERSION,
              settings_.site, settings_.agent, settings_.devices.size(), to_hex(journal_->id()),
              journal_->head());
    agent_.deliver_orders_to([this](std::string order) { orders_.put(std::move(order)); });
    core_ = std::thread{[this] { agent_.run(); }};
    self_.start();
    start_judging();
    start_polling();
    start_listening();
    if (renewal_) renewal_->start();
    tell(central_.take_told());
    notifier_.ready();
    return {};
  }

  /// Other devices, classes, profiles and places where traps arrive. What was polled until then is reported
  /// first, and no reading in between is lost: no bus is asked while the devices change. That is kept short:
  /// a device that takes longer to answer is asked anew. A trap that comes just then is lost; what it is
  /// about is polled at once.
  void read_anew() {
    Problems problems;
    auto wanted = central_.read_anew(problems);
    if (!wanted) {
      log_.error("{} was not taken, the agent goes on as before:\n{}", file_.string(), problems.str());
      return;
    }
    if (needs_restart(settings_, *wanted))
      log_.warning("{}: changes outside of devices, classes, profiles, snmp_traps and outputs need a restart",
                   file_.string());
    take(*std::move(wanted));
  }
  void take_orders() {
    intake_.note_dropped(orders_.take_dropped());
    tell(intake_.take_told());
    for (const std::string& text : orders_.take()) {
      if (auto order = intake_.take(text)) {
        carry_out(*std::move(order));
        self_.poll_soon();  // the centre waits to hear of it
      }
      tell(intake_.take_told());
      tell(central_.take_told());
    }
  }
  /// Absent: there is nothing to look at.
  std::optional<std::chrono::seconds> pause() const {
    return central_.is_on_trial() ? std::optional{1s} : std::nullopt;
  }
  void look() {
    if (auto wanted = central_.look(agent_.figures().host_heard_at)) take(*std::move(wanted));
    tell(central_.take_told());
  }

  void stop() {
    log_.info("stopping");
    notifier_.stopping();
    if (renewal_) renewal_->stop();
    traps_.reset();
    control_.reset();
    field_.stop();
    judge_.stop();
    self_.stop();
    agent_.request_stop();
    core_.join();
    link_.stop(5s);
  }

 private:
  void take(AgentSettings wanted) {
    notifier_.reloading(clock_.machine().steady());
    judge_.let_go(wanted.judge);
    field_.finish(longest_pause_to_read_anew);
    traps_.reset();  // as late as may be: a trap that comes while nobody listens is lost
    settings_.snmp_traps = wanted.snmp_traps;
    settings_.classes = wanted.classes;
    settings_.profiles_dir = wanted.profiles_dir;
    settings_.point_lists = wanted.point_lists;
    const std::size_t count_before = settings_.devices.size();
    settings_.devices = std::move(wanted.devices);
    settings_.judge = std::move(wanted.judge);
    devices_ = prepared_devices(devices_);
    self_.reconfigure(settings_.devices.size(), true, [this] {
      const std::lock_guard lock{self_mutex_};
      agent_.mailbox().put(Reconfigured{devices_});
      self_index_ = settings_.devices.size();
    });
    take_outputs();
    start_judging();
    start_polling();
    start_listening();
    log_.info("the settings were taken anew: {} devices, {} before", settings_.devices.size(), count_before);
    notifier_.ready();
  }
  /// An order that was found to be good.
  void carry_out(Order order) {
    if (order.kind == order_kinds::configuration) {
      if (auto wanted = central_.follow({order.number, std::move(order.body)})) take(*std::move(wanted));
    } else if (order.kind == order_kinds::output) {
      const auto wanted = read_output_order(order.body);
      const auto taken =
          wanted ? judge_.order(order.number, in_time_left(order, *wanted)) : Result<void>{wanted.error()};
      if (!taken)
        tell({fmt::format("order {} of the centre is refused: {}", order.number, taken.error().text)});
    } else if (order.kind != order_kinds::key) {  // that one was only to be heard
      tell({fmt::format("order {} of the centre is refused: \"{}\" is unknown here", order.number,
                        order.kind)});
    }
  }
  /// What it took on its way is no longer there to carry it out in.
  OutputOrder in_time_left(const Order& order, OutputOrder wanted) const {
    const auto age = challenges_.age_of(order.challenge, order.challenge_age).value_or(0ms);
    wanted.within -= std::min(wanted.within, std::chrono::ceil<std::chrono::seconds>(std::max(age, 0ms)));
    return wanted;
  }
  /// In the log, and as events of ours in the centre's history.
  void tell(std::vector<std::string> texts) {
    for (std::string& text : texts) {
      log_.warning("{}", text);
      const std::lock_guard lock{self_mutex_};
      if (settings_.self.is_enabled)
        agent_.mailbox().put(DeviceEvent{self_index_, clock_.now(), shortened(std::move(text))});
    }
  }
  DeviceList prepared_devices(const DeviceList& before) {
    field_.prepare(settings_);
    return descriptions_of(settings_, before);
  }
  /// What remains of an agent that died may be giving them their last state just now.
  void take_outputs() {
    if (settings_.judge.is_empty()) return;
    const auto until = std::chrono::steady_clock::now() + longest_wait_for_outputs;
    auto taken = lock_.take(settings_.data_dir);
    while (!taken && taken.error().code == Errc::conflict && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(50ms);
      taken = lock_.take(settings_.data_dir);
    }
    if (!taken) log_.error("{}; we work them all the same", taken.error().text);
  }
  void start_judging() {
    guardian_.renew(settings_.judge);
    judge_.configure(settings_.judge, devices_);
    if (control_ || settings_.judge.is_empty()) return;
    control_ = std::make_unique<ControlSocket>(
        lock_, [this](const auto& request) { return answer_command(judge_, request); }, log_.tagged("judge"));
  }
  void start_polling() {
    field_.start(settings_, [this](PollResult polled) {
      judge_.take(polled);  // it must not have to wait for the core, which waits for the disk
      agent_.mailbox().put(std::move(polled));
    });
    ::malloc_trim(0);  // reading the settings took more than keeping them
  }
  void start_listening() {
    if (settings_.snmp_traps.listen.empty()) return;
    const auto deliver = [this](ReceivedTrap trap) {
      return agent_.mailbox().put(DeviceEvent{trap.device, trap.at, std::move(trap.text)});
    };
    const auto hurry = [this](std::size_t device, bool started) { field_.hurry(device, started); };
    traps_ = std::make_unique<TrapReceiver>(settings_, clock_, field_.names(), log_,
                                            TrapReceiver::Outputs{deliver, hurry, &field_.traps()});
    traps_->start();
  }

  const std::filesystem::path file_;
  Challenges challenges_;
  OrderIntake intake_;
  CentralConfiguration central_;
  AgentSettings settings_;
  OrderBox orders_;
  const Notifier& notifier_;
  const AgentClock& clock_;
  const Log log_;
  std::unique_ptr<Journal> journal_;
  BusBoard board_;
  PollingField field_;
  Link link_;
  DeviceList devices_;
  Agent agent_;
  SelfWatch self_;
  std::unique_ptr<TrapReceiver> traps_;
  std::unique_ptr<Renewal> renewal_;
  Guardian guardian_;
  std::mutex self_mutex_;  // of the next; held while an event or other devices go to the core
  std::size_t self_index_ = settings_.devices.size();
  LocalJudge judge_;
  OutputsLock lock_;
  std::unique_ptr<ControlSocket> control_;
  std::thread core_;
};

}  // namespace

int run_command(const std::filesystem::path& settings_file) {
  keep_heap_small();
  finish_replacement_of(settings_file);
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
  const Notifier notifier = Notifier::from_environment();
  const SystemClock machine_clock;
  AgentClock clock{machine_clock};
  auto journal = Journal::open(settings->data_dir / "journal.sqlite", journal_settings(*settings), clock,
                               log.tagged("journal"));
  if (!journal) {
    log.error("{}", journal.error().text);
    return exit_failed;
  }
  Running agent{*std::move(settings), settings_file, *std::move(journal), notifier, clock, log};
  if (auto started = agent.start(); !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  for (Wake wake = signals.wait(agent.pause()); wake != Wake::stop; wake = signals.wait(agent.pause())) {
    if (wake == Wake::read_anew) agent.read_anew();
    if (wake == Wake::orders) agent.take_orders();
    agent.look();
  }
  agent.stop();
  return exit_ok;
}

}  // namespace watchroom::agent
