// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include <CLI/CLI.hpp>

#include "agent/commands/commands.hpp"
#include "agent/core/agent.hpp"
#include "agent/drivers/snmp/trap_receiver.hpp"
#include "agent/journal/journal.hpp"
#include "agent/link/link.hpp"
#include "agent/polling/poller.hpp"
#include "agent/settings/agent_settings.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_wrong_input = 2;

/// SIGTERM and SIGINT, blocked in every thread that is started later.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // a broken connection is told by its error
  }
  void wait() {
    int signal = 0;
    sigwait(&signals_, &signal);
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);  // a second one ends us at once
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

int run_command(const std::filesystem::path& file) {
  Problems problems;
  auto settings = AgentSettings::load(file, problems);
  if (!settings || !problems.empty()) {
    std::cerr << problems.str() << '\n';
    return exit_wrong_input;
  }
  const Log log = Log::to_stderr(settings->log_level);
  for (const Problem& warning : problems.warnings()) log.warning("{}", warning.str());
  keep_name_lookups_short();
  StopSignals stop_signals;
  const SystemClock clock;
  auto opened = Journal::open(settings->data_dir / "journal.sqlite", journal_settings(*settings), clock,
                              log.tagged("journal"));
  if (!opened) {
    log.error("{}", opened.error().text);
    return exit_failed;
  }
  const std::unique_ptr<Journal> journal = *std::move(opened);
  prepare_devices(*settings, log);
  DeviceList devices;
  for (const ConfiguredDevice& device : settings->devices)
    devices.push_back(std::make_shared<const DeviceDescription>(device.description));

  Link link{settings->broker, fmt::format("watchroom-{}-{}", settings->site, settings->agent),
            log.tagged("mqtt")};
  Agent agent{edge_node_settings(*settings), devices, *journal, link, clock, log};
  if (auto started = link.start(agent.mailbox()); !started) {
    log.error("{}", started.error().text);
    return exit_wrong_input;
  }
  std::thread core{[&agent] { agent.run(); }};
  Poller poller{*settings, clock, log,
                [&agent](PollResult polled) { agent.mailbox().put(std::move(polled)); }};
  poller.start();
  TrapReceiver traps{*settings,
                     clock,
                     log,
                     {[&agent](ReceivedTrap trap) {
                        return agent.mailbox().put(DeviceEvent{trap.device, trap.at, std::move(trap.text)});
                      },
                      [&poller](std::size_t device, bool started) { poller.hurry(device, started); }}};
  if (!settings->snmp_traps.listen.empty()) traps.start();
  log.info("watchroom-agent {} runs {}/{}: {} devices, journal {} at record {}", WATCHROOM_VERSION,
           settings->site, settings->agent, devices.size(), to_hex(journal->id()), journal->head());

  stop_signals.wait();
  log.info("stopping");
  traps.stop();
  poller.stop();
  agent.request_stop();
  core.join();
  link.stop(5s);
  return exit_ok;
}

int run_program(int argc, char** argv) {
  CLI::App app{
      "机房采集器：轮询现场设备，先落盘再上送，断网不丢数据。\n"
      "watchroom-agent polls the devices of a machine room, writes each report to disk and sends it to the\n"
      "centre (MQTT over TLS, Sparkplug B). What could not be sent is sent later, with its original time.",
      "watchroom-agent"};
  app.set_version_flag("--version", "watchroom-agent " WATCHROOM_VERSION);
  app.require_subcommand(1);
  app.footer(
      "退出码 Exit codes: 0 正常 done; 1 未成功 it did not work; 2 输入或配置有误 wrong input or settings.\n"
      "文件 Files: agent.toml (see `watchroom-agent describe`); DATA_DIR/journal.sqlite.");

  std::filesystem::path settings_file;
  int code = exit_ok;
  auto* run = app.add_subcommand("run",
                                 "运行，直到 SIGTERM 或 Ctrl-C。Run until SIGTERM or Ctrl-C. Refuses to "
                                 "start when anything is wrong in FILE.");
  run->add_option("FILE", settings_file, "设置文件 settings, TOML")->required();
  run->callback([&] { code = run_command(settings_file); });

  auto* check =
      app.add_subcommand("check",
                         "检查设置，一次列出全部问题，不启动任何东西。Check FILE and the profiles it "
                         "names; tell every problem at once; start nothing.");
  check->add_option("FILE", settings_file, "设置文件 settings, TOML")->required();
  check->callback([&] { code = check_command(settings_file); });

  ProbeOptions probe_options;
  auto* probe = app.add_subcommand("probe",
                                   "询问一台设备并逐点打印，无需设置文件。Ask one device and print a line a "
                                   "point; needs no settings.");
  probe
      ->add_option("URL", probe_options.url,
                   "modbus-tcp://HOST:PORT?unit=1, modbus-rtu:///dev/ttyS1?baud=9600&parity=N&unit=1, "
                   "snmp://HOST:PORT?community=public, snmp://HOST:PORT?version=3&user=NAME&...")
      ->required();
  probe->add_option(
      "--profile", probe_options.profile,
      "设备模板（名称或 .toml 路径），缺省自动识别 a profile's name or a path; else recognised");
  probe->add_option("--profiles-dir", probe_options.profiles_dir, "设备模板目录 the folder of profiles");
  probe->add_flag("--json", probe_options.json,
                  "每行一个 JSON 对象 JSON lines: point, value, unit, state, quality, source");
  probe->callback([&] { code = probe_command(probe_options); });

  ScanOptions scan_options;
  int scan_timeout_ms = 500;
  auto* scan = app.add_subcommand(
      "scan",
      "查找一条总线或一段地址上的设备，写出可用的设置。Ask every address of a range what it "
      "is and write [[device]] tables to start from.");
  scan->add_option("URL", scan_options.url,
                   "modbus-rtu:///dev/ttyS1?baud=9600&unit=1-32, modbus-tcp://10.0.0.0/28?unit=1-4, "
                   "snmp://10.0.0.1-50?community=public")
      ->required();
  scan->add_option("--output,-o", scan_options.output,
                   "写入文件，缺省为标准输出 a file; else standard output");
  scan->add_option("--profiles-dir", scan_options.profiles_dir, "设备模板目录 the folder of profiles");
  scan->add_option("--timeout-ms", scan_timeout_ms, "每次等待应答的时间 wait for each answer")
      ->check(CLI::Range(20, 10'000))
      ->capture_default_str();
  scan->add_option("--limit", scan_options.limit, "最多询问的地址数 the most addresses to ask")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  scan->callback([&] {
    scan_options.reply_timeout = std::chrono::milliseconds{scan_timeout_ms};
    code = scan_command(scan_options);
  });

  auto* describe = app.add_subcommand(
      "describe", "打印带注释的完整设置样例。Print agent.toml with every key, its default and its meaning.");
  describe->callback([&] { code = describe_command(); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_wrong_input;
  }
  return code;
}

}  // namespace
}  // namespace watchroom::agent

int main(int argc, char** argv) {
  try {
    return watchroom::agent::run_program(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "watchroom-agent: " << error.what() << '\n';
    return 1;
  }
}
