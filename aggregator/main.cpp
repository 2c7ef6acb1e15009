// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "aggregator/audit/audit_log.hpp"
#include "aggregator/authority/commands.hpp"
#include "aggregator/program_settings.hpp"
#include "aggregator/run.hpp"
#include "proto/base/command_line.hpp"
#include "proto/link/start_check.hpp"

namespace {

using namespace watchroom;
using namespace watchroom::aggregator;

using Json = nlohmann::ordered_json;

constexpr std::string_view program = "watchroom-aggregator";
constexpr const char* about_file = "配置文件 / settings, aggregator.toml";

/// Everything that will be opened at the start and can be looked into without a network.
StartFindings findings_of(const ProgramSettings& settings) {
  const Timestamp now = SystemClock{}.now();
  StartFindings findings;
  check_broker(settings.aggregator.broker, settings.enrolment.has_value(), now, findings);
  check_pair({.certificate_field = "web.certificate_file",
              .key_field = "web.key_file",
              .certificate = settings.web.certificate_file,
              .key = settings.web.key_file},
             now, findings);
  check_folder("data_dir", settings.aggregator.data_dir, true, findings);
  if (!settings.enrolment) return findings;
  check_folder("enrolment.broker_folder", settings.enrolment->broker_folder, false, findings);
  if (const auto& identity = settings.enrolment->broker_identity)
    check_pair({.certificate_field = "enrolment.broker_certificate_file",
                .key_field = "enrolment.broker_key_file",
                .certificate = identity->certificate,
                .key = identity->key,
                .is_needed = false,
                .renews_itself = true},
               now, findings);
  for (const std::string& hint : settings.enrolment->hints()) findings.push_back({false, "enrolment", hint});
  return findings;
}

int check(const std::string& file, bool json) {
  Problems problems;
  const auto settings = ProgramSettings::load(file, problems);
  if (!settings) return command_line::give_up(problems, json);
  const auto rules = std::ranges::count_if(settings->aggregator.rules,
                                           [](const Rule& rule) { return rule.condition != nullptr; });
  return report_check(file,
                      fmt::format("配置正确，共 {0} 条告警规则 / settings are valid, {0} alarm rules", rules),
                      {{"rules", rules}}, findings_of(*settings), problems.warnings(), json);
}

int describe() {
  Problems ignored;
  std::vector<KeyDescription> keys;
  (void)ProgramSettings::read(SettingsTable::describing(keys, ignored));
  std::printf("%s", to_toml_reference(keys).c_str());
  return command_line::done;
}

/// As `watchroom audit verify --json` tells it.
Json json_of(const ChainCheck& check) {
  Json findings = Json::array();
  for (const ChainFinding& finding : check.findings())
    findings.push_back(
        {{"number", finding.number}, {"is_wrong", finding.is_wrong()}, {"text", describe_en(finding)}});
  const auto& head = check.head();
  return {{"is_intact", check.is_intact()},
          {"entries", check.entries()},
          {"first", check.first()},
          {"head", head ? Json{{"number", head->number}, {"hash", head->hash}} : Json(nullptr)},
          {"findings", std::move(findings)}};
}

/// Done: intact. Failed: altered, or it cannot be read.
int verify_audit(const std::string& file, const std::string& expected, bool json) {
  Problems problems;
  const auto settings = ProgramSettings::load(file, problems);
  if (!settings) return command_line::give_up(problems, json);
  const auto log = settings->aggregator.data_dir / "audit.db";
  const auto check = verify_log(log, expected.empty() ? std::nullopt : std::optional{expected});
  if (!check) {
    command_line::give_up(program, check.error(), json);
    return command_line::failed;
  }
  const int code = check->is_intact() ? command_line::done : command_line::failed;
  if (json) {
    command_line::print_json(json_of(*check));
    return code;
  }
  for (const ChainFinding& finding : check->findings())
    fmt::print("{} / {}\n", describe_zh(finding), describe_en(finding));
  const auto& head = check->head();
  fmt::print("{}: {}, {} 条 / {}, {} entries; 末条 / head: {} {}\n", log.string(),
             check->is_intact() ? "完好" : "已被改动", check->entries(),
             check->is_intact() ? "intact" : "NOT INTACT", check->entries(), head ? head->number : 0,
             head ? head->hash : "-");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "watchroom-aggregator — 机房值守监控中心：接收采集代理的读数，入库，判断告警，通知值班人员。\n"
      "The centre of the machine-room watch: stores the agents' readings, raises alarms, tells people.",
      "watchroom-aggregator"};
  app.footer(command_line::about_exit_codes);
  app.set_help_flag("-h,--help", command_line::about_help);
  app.set_version_flag("--version", "watchroom-aggregator " WATCHROOM_VERSION, command_line::about_version);
  app.require_subcommand(1);
  std::string file;
  int status = command_line::done;
  bool json = false;
  auto* run = app.add_subcommand("run", "按配置文件运行，直到 SIGTERM / run until SIGTERM");
  run->add_option("FILE", file, about_file)->required();
  run->callback([&] { status = run_command(file); });
  auto* check_command = app.add_subcommand(
      "check",
      "检查配置、告警规则、证书与数据文件夹，不启动、不更改任何东西 / check settings, rules, certificates "
      "and the "
      "data folder; start and change nothing. Run it as the user who will run the aggregator");
  check_command->add_option("FILE", file, about_file)->required();
  check_command->add_flag("--json", json, command_line::about_json);
  check_command->callback([&] { status = check(file, json); });
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
  verify_command->add_option("FILE", file, about_file)->required();
  verify_command->add_option(
      "--expect", expected,
      "以前记下的末条哈希，必须仍在日志中 / a head noted before, which must be in the log");
  verify_command->add_flag("--json", json, command_line::about_json);
  verify_command->callback([&] { status = verify_audit(file, expected, json); });
  declare_authority_commands(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? command_line::done : command_line::wrong_input;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "watchroom-aggregator: %s\n", error.what());
    return command_line::failed;
  }
  return status;
}
