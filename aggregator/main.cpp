// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "aggregator/audit/audit_log.hpp"
#include "aggregator/authority/commands.hpp"
#include "aggregator/program_settings.hpp"
#include "aggregator/run.hpp"

namespace {

using namespace watchroom;
using namespace watchroom::aggregator;

constexpr int exit_failed = 1;
constexpr int exit_settings = 2;

int check(const std::string& file) {
  const auto settings = ProgramSettings::load(file);
  if (!settings) return exit_settings;
  const auto& all = settings->aggregator.rules;
  const auto rules =
      std::count_if(all.begin(), all.end(), [](const Rule& rule) { return rule.condition != nullptr; });
  std::printf("%s: 配置正确，共 %td 条告警规则 / settings are valid, %td alarm rules\n", file.c_str(), rules,
              rules);
  if (settings->enrolment)
    for (const std::string& hint : settings->enrolment->hints())
      std::fprintf(stderr, "%s: 提示 / hint: %s\n", file.c_str(), hint.c_str());
  return 0;
}

int describe() {
  Problems ignored;
  std::vector<KeyDescription> keys;
  (void)ProgramSettings::read(SettingsTable::describing(keys, ignored));
  std::printf("%s", to_toml_reference(keys).c_str());
  return 0;
}

/// 0 intact, 1 not or not readable.
int verify_audit(const std::string& file, const std::string& expected) {
  const auto settings = ProgramSettings::load(file);
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
  auto* run = app.add_subcommand("run", "按配置文件运行，直到 SIGTERM / run until SIGTERM");
  run->add_option("file", file, "aggregator.toml")->required();
  run->callback([&] { status = run_command(file); });
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
