// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>

#include <CLI/CLI.hpp>

#include "aggregator/audit/audit_log.hpp"
#include "aggregator/authority/commands.hpp"
#include "aggregator/authority/enrolment.hpp"
#include "aggregator/authority/order_signer.hpp"
#include "aggregator/configurations/configuration_desk.hpp"
#include "aggregator/core/aggregator.hpp"
#include "aggregator/identity/first_administrator.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/web/web_server.hpp"

namespace {

using namespace watchroom;
using namespace watchroom::aggregator;

constexpr int exit_failed = 1;
constexpr int exit_settings = 2;

struct Everything {
  AggregatorSettings aggregator;
  WebSettings web;
  Regions regions;
  std::optional<EnrolmentSettings> enrolment;
  AuditLog::Limits audit;
};

Regions read_regions(const SettingsTable& table) {
  Regions regions;
  for (const SettingsTable& region : table.tables("region")) {
    const std::string name = region.text("name", {.help = "what users' domains call it: region:NAME"});
    if (!name.empty() && (!is_domain("region:" + name) || regions.contains(name)))
      region.reject("name", "a name without control characters that no other region has");
    const auto sites = region.texts("sites", "the sites (Sparkplug groups) in it");
    if (sites.empty()) region.complain("sites", "names no site, expected at least one");
    for (const std::string& site : sites)
      if (!is_domain("site:" + site)) region.reject("sites", "names of sites, without \"/\"");
    regions[name].insert(sites.begin(), sites.end());
    region.finish();
  }
  return regions;
}

Everything read_settings(const SettingsTable& table) {
  Everything read{AggregatorSettings::read(table), WebSettings::read(table.table("web")), read_regions(table),
                  std::nullopt, AuditLog::Limits::read(table.table("audit"))};
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
    // One that does not exist is made by the first start.
    if (std::error_code ignored; std::filesystem::exists(read->web.users_file, ignored)) {
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

// An agent that was away for longer is sent it anew: each sending is signed then.
constexpr auto good_for = std::chrono::hours{24};

Order order_of(const KeptConfiguration& kept) {
  Order order;
  order.kind = "configuration";
  order.site = kept.site;
  order.agent = kept.agent;
  order.number = kept.number;
  order.body = kept.text;
  return order;
}

/// Of what the file is now, for the audit log.
std::string digest_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  return sha256_hex(std::string{std::istreambuf_iterator<char>{in}, {}});
}

AuditEvent of_ourselves(std::string action, const std::string& file, std::string detail) {
  return {.who = "system", .action = std::move(action), .object = file, .detail = std::move(detail)};
}

/// False: nobody can log in, and the log says why.
bool prepare_users(Users& users, AuditTrail& audit, const Log& log) {
  const auto made = make_first_administrator(users.file());
  if (!made) {
    log.error("{}: the first administrator cannot be made: {}", users.file().string(), made.error().text);
    return false;
  }
  if (*made) {
    audit.record(of_ourselves("user.add", fmt::format("user {}", first_administrator_name),
                              "administrator, everything; the first start"));
    log.warning(
        "first start: log in as {} with the password in {}; it must be changed then, and the file goes",
        first_administrator_name, first_password_file(users.file()).string());
  }
  Problems problems;
  users.load(problems);
  if (!problems.empty()) log.error("{}", problems.str());
  return problems.empty();
}

/// 0 intact, 1 not or not readable.
int verify_audit(const std::string& file, const std::string& expected) {
  const auto settings = load(file);
  if (!settings) return exit_settings;
  const auto log = settings->aggregator.data_dir / "audit.db";
  const auto check = verify_log(log, expected.empty() ? std::nullopt : std::optional{expected});
  if (!check) {
    std::fprintf(stderr, "%s\n", check.error().text.c_str());
    return exit_failed;
  }
  for (const ChainFinding& finding : check->findings())
    std::printf("%s / %s\n", describe_zh(finding).c_str(), describe_en(finding).c_str());
  const auto& head = check->head();
  std::printf("%s: %s, %llu 条 / %s, %llu entries; 末条 / head: %lld %s\n", log.c_str(),
              check->is_intact() ? "完好" : "已被改动", static_cast<unsigned long long>(check->entries()),
              check->is_intact() ? "intact" : "NOT INTACT", static_cast<unsigned long long>(check->entries()),
              head ? static_cast<long long>(head->number) : 0LL, head ? head->hash.c_str() : "-");
  return check->is_intact() ? 0 : exit_failed;
}

int run(const std::string& file) {
  // Before any thread starts, so that all of them leave these signals to us.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  if (auto finished = finish_host_replacement(file); !finished)
    std::fprintf(stderr, "watchroom-aggregator: %s\n", finished.error().text.c_str());
  auto settings = load(file);
  if (!settings) return exit_settings;
  const SystemClock clock;
  const Log log = Log::to_stderr(settings->aggregator.log_level);
  AuditLog audit{settings->aggregator.data_dir / "audit.db", clock, log, settings->audit};
  if (auto started = audit.start(); !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  audit.record(
      of_ourselves("aggregator.start", file,
                   fmt::format("version {}, settings SHA-256 {}", WATCHROOM_VERSION, digest_of(file))));
  Users users{settings->web.users_file, log, std::move(settings->regions), &audit};
  if (!prepare_users(users, audit, log)) return exit_failed;
  const Enrolment::Plan plan{settings->aggregator.core.intake.host_id, settings->aggregator.data_dir,
                             settings->aggregator.broker};
  Aggregator aggregator{std::move(settings->aggregator), audit, clock, log};
  // After whom it tells: it ends first.
  Enrolment enrolment{settings->enrolment, plan, clock, audit, log};
  if (auto started = aggregator.start(); !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  const auto tell = [&](Keeper::News news) {
    aggregator.tell({std::move(news.identities), std::move(news.trouble), std::move(news.endangered)});
  };
  if (auto started = enrolment.start(tell, [&] { aggregator.reconnect(); }); !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  auto book = ConfigurationBook::open(plan.data_dir);
  if (!book) {
    log.error("{}", book.error().text);
    return exit_failed;
  }
  OrderSigner signer{enrolment.authority(), plan.data_dir / "authority", plan.host_id, clock, audit};
  ConfigurationDesk configurations{*std::move(book), aggregator.room(),
                                   [&](const KeptConfiguration& kept) -> Result<void> {
                                     const auto text = signer.sign(order_of(kept), good_for);
                                     if (!text) return text.error();
                                     return aggregator.send_order(kept.site, kept.agent, *text);
                                   },
                                   clock, log};
  configurations.start();
  WebServer web{std::move(settings->web),
                {aggregator.room(), enrolment.identities(), configurations, users, audit},
                clock,
                log};
  if (auto started = web.start(); !started) {
    log.error("{}", started.error().text);
    return exit_failed;
  }
  log.info("watchroom-aggregator {} runs", WATCHROOM_VERSION);
  int received = 0;
  sigwait(&signals, &received);
  log.info("stopping on signal {}", received);
  web.stop();
  configurations.stop();
  enrolment.stop();
  aggregator.stop();
  audit.record(of_ourselves("aggregator.stop", file, fmt::format("signal {}", received)));
  audit.stop();
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
  auto* audit_command =
      app.add_subcommand("audit", "审计日志（无需服务器运行） / the audit log, with the server down");
  audit_command->require_subcommand(1);
  auto* verify_command = audit_command->add_subcommand(
      "verify",
      "重新计算全部哈希，指出改动、缺失之处 / recompute every hash, say what was altered or is missing");
  std::string expected;
  verify_command->add_option("file", file, "aggregator.toml")->required();
  verify_command->add_option(
      "--expect", expected,
      "以前记下的末条哈希，必须仍在日志中 / a head noted before, which must be in the log");
  verify_command->callback([&] { status = verify_audit(file, expected); });
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
