// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "aggregator/authority/commands.hpp"
#include "aggregator/authority/enrolment.hpp"
#include "aggregator/core/aggregator.hpp"
#include "aggregator/web/web_server.hpp"

namespace {

using namespace watchroom;
using namespace watchroom::aggregator;

constexpr int exit_failed = 1;
constexpr int exit_settings = 2;

struct Everything {
  AggregatorSettings aggregator;
  WebSettings web;
  std::optional<EnrolmentSettings> enrolment;
};

/// Until there is a log that cannot be changed unseen.
class AuditLines final : public AuditTrail {
 public:
  explicit AuditLines(const Log& log) : log_{log.tagged("audit")} {}
  void record(AuditEvent event) override {
    const char* outcome = event.outcome == Outcome::done      ? "done"
                          : event.outcome == Outcome::refused ? "refused"
                                                              : "failed";
    log_.info("{} {} by {} from {}: {} {}", event.action, event.object, event.who,
              event.from.empty() ? "here" : event.from, outcome, event.detail);
  }

 private:
  const Log log_;
};

Everything read_settings(const SettingsTable& table) {
  Everything read{AggregatorSettings::read(table), WebSettings::read(table.table("web")), std::nullopt};
  if (const auto enrolment = table.optional_table("enrolment"))
    read.enrolment = EnrolmentSettings::read(*enrolment);
  table.finish();
  return read;
}

/// Nothing when there is a problem; all of them are on standard error then.
std::optional<Everything> load(const std::string& file) {
  Problems problems;
  std::optional<Everything> read;
  if (const auto table = SettingsTable::load(file, problems)) {
    read = read_settings(*table);
    if (!read->web.users_file.empty()) {
      Users users{read->web.users_file, Log::quiet()};
      users.load(problems);
    }
  }
  if (problems.empty()) return read;
  std::fprintf(stderr, "%s", problems.str().c_str());
  return std::nullopt;
}

int check(const std::string& file) {
  const auto settings = load(file);
  if (!settings) return exit_settings;
  const auto& all = settings->aggregator.rules;
  const auto rules =
      std::count_if(all.begin(), all.end(), [](const Rule& rule) { return rule.condition != nullptr; });
  std::printf("%s: 配置正确，共 %td 条告警规则 / settings are valid, %td alarm rules\n", file.c_str(), rules,
              rules);
  return 0;
}

int describe() {
  Problems ignored;
  std::vector<KeyDescription> keys;
  (void)read_settings(SettingsTable::describing(keys, ignored));
  std::printf("%s", to_toml_reference(keys).c_str());
  return 0;
}

int run(const std::string& file) {
  // Before any thread starts, so that all of them leave these signals to us.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto settings = load(file);
  if (!settings) return exit_settings;
  const SystemClock clock;
  const Log log = Log::to_stderr(settings->aggregator.log_level);
  Users users{settings->web.users_file, log.tagged("users")};
  Problems problems;
  users.load(problems);
  AuditLines trail{log};
  Enrolment::Plan plan{settings->aggregator.core.intake.host_id, settings->aggregator.data_dir,
                       settings->aggregator.broker};
  Aggregator aggregator{std::move(settings->aggregator), clock, log};
  // After whom it tells: it ends first.
  Enrolment enrolment{settings->enrolment, std::move(plan), clock, trail, log};
  if (auto started = aggregator.start(); !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  if (auto started = enrolment.start([&](std::vector<AgentIdentity> identities, const std::string& trouble) {
        aggregator.tell({std::move(identities), trouble});
      });
      !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  WebServer web{std::move(settings->web), aggregator.room(), enrolment.identities(), users, clock,
                log.tagged("web")};
  if (auto started = web.start(); !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  log.info("watchroom-aggregator {} runs", WATCHROOM_VERSION);
  int received = 0;
  sigwait(&signals, &received);
  log.info("stopping on signal {}", received);
  web.stop();
  enrolment.stop();
  aggregator.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "watchroom-aggregator — 机房值守监控中心：接收采集代理的读数，入库，判断告警，通知值班人员。\n"
      "The centre of the machine-room watch: stores the agents' readings, raises alarms, tells people.\n\n"
      "Exit status: 0 done; 1 could not run; 2 wrong settings or usage (all problems on standard error).",
      "watchroom-aggregator"};
  app.set_version_flag("--version", std::string{"watchroom-aggregator "} + WATCHROOM_VERSION);
  app.require_subcommand(1);
  std::string file;
  int status = 0;
  auto* run_command = app.add_subcommand("run", "按配置文件运行，直到 SIGTERM / run until SIGTERM");
  run_command->add_option("file", file, "aggregator.toml")->required();
  run_command->callback([&] { status = run(file); });
  auto* check_command =
      app.add_subcommand("check", "检查配置文件与告警规则，不启动 / check settings and rules, start nothing");
  check_command->add_option("file", file, "aggregator.toml")->required();
  check_command->callback([&] { status = check(file); });
  app.add_subcommand("describe", "打印带注释的全部配置项 / print every key with its meaning")->callback([&] {
    status = describe();
  });
  declare_authority_commands(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_settings;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "watchroom-aggregator: %s\n", error.what());
    return exit_failed;
  }
  return status;
}
