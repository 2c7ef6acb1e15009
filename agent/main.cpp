// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <iostream>

#include <CLI/CLI.hpp>

#include "agent/commands/commands.hpp"
#include "agent/drivers/driver.hpp"
#include "agent/enrolment/enrol_command.hpp"
#include "agent/judge/guardian.hpp"
#include "agent/orders/central_configuration.hpp"
#include "agent/run.hpp"
#include "agent/self/metrics.hpp"
#include "proto/base/command_line.hpp"

namespace watchroom::agent {
namespace {

/// What each driver says of its addresses.
std::string join_texts(std::string_view AddressGrammar::*text) {
  std::vector<std::string_view> all;
  for (const DriverType* type : driver_types())
    if (const auto one = type->addresses.*text; !one.empty()) all.push_back(one);
  return fmt::format("{}", fmt::join(all, ", "));
}

int run_program(int argc, char** argv) {
  CLI::App app{
      "watchroom-agent — 机房采集器：轮询现场设备，先落盘再上送，断网不丢数据。\n"
      "It polls the devices of a machine room, writes each report to disk and sends it to the\n"
      "centre (MQTT over TLS, Sparkplug B). What could not be sent is sent later, with its original time.",
      "watchroom-agent"};
  app.set_help_flag("-h,--help", command_line::about_help);
  app.set_version_flag("--version", "watchroom-agent " WATCHROOM_VERSION, command_line::about_version);
  app.require_subcommand(1);
  app.footer(
      fmt::format("{}\n文件 / Files: agent.toml (`watchroom-agent describe`); DATA_DIR/journal.sqlite; "
                  "DATA_DIR/judge.json.",
                  command_line::about_exit_codes));

  constexpr const char* about_settings = "设置文件 / settings, TOML";
  std::filesystem::path settings_file;
  int code = command_line::done;
  auto* run = app.add_subcommand("run",
                                 "运行，直到 SIGTERM 或 Ctrl-C；SIGHUP 重新读取设置 / run until SIGTERM or "
                                 "Ctrl-C; SIGHUP reads FILE anew. Refuses to start when anything is wrong in "
                                 "FILE");
  run->add_option("FILE", settings_file, about_settings)->required();
  run->callback([&] { code = run_command(settings_file); });

  auto* check = app.add_subcommand(
      "check",
      "检查设置、证书与数据文件夹，一次列出全部问题，不启动、不更改任何东西 / check FILE, the "
      "profiles it names, certificates and the data folder; tell every problem at once; start "
      "and change nothing. Run it as the user who will run the agent");
  check->add_option("FILE", settings_file, about_settings)->required();
  bool check_prints_json = false;
  check->add_flag("--json", check_prints_json, command_line::about_json);
  check->callback([&] { code = check_command(settings_file, check_prints_json); });

  EnrolOptions enrol_options;
  auto* enrol = app.add_subcommand(
      "enrol",
      "用监控中心给的一次性令牌登记：在本机生成密钥，写出证书 / have a key that is made here certified by "
      "the "
      "centre, with the token of `watchroom enrol`; writes the files that [broker] in FILE names");
  enrol
      ->add_option("URL", enrol_options.url,
                   "监控中心的登记地址 / where to enrol, such as https://centre.example:8444")
      ->required();
  enrol->add_option("FILE", enrol_options.settings_file, about_settings)->required();
  enrol->add_option("--token-file", enrol_options.token_file, "令牌文件 / the file with the token")
      ->required();
  enrol->add_flag("--replace", enrol_options.may_replace,
                  "覆盖仍有效的证书 / write over a certificate that is still valid");
  enrol->add_flag("--json", enrol_options.json, command_line::about_json);
  enrol->callback([&] { code = enrol_command(enrol_options); });

  ProbeOptions probe_options;
  auto* probe = app.add_subcommand("probe",
                                   "询问一台设备并逐点打印，无需设置文件 / ask one device and print a line a "
                                   "point; needs no settings");
  probe->add_option("URL", probe_options.url, join_texts(&AddressGrammar::examples))->required();
  probe->add_option(
      "--profile", probe_options.profile,
      "设备模板（名称或 .toml 路径），缺省自动识别 / a profile's name or a path; else recognised");
  probe->add_option("--profiles-dir", probe_options.profiles_dir, "设备模板目录 / the folder of profiles");
  probe->add_flag(
      "--json", probe_options.json,
      "每行一个 JSON 对象，出错时也是 / JSON lines, errors too: point, value, unit, state, quality, source");
  probe->callback([&] { code = probe_command(probe_options); });

  WriteOptions write_options;
  auto* write = app.add_subcommand(
      "write",
      "设置一个可写的测点并回读（调试用）；只有回读一致才返回 0 / set one writable point and read it back, "
      "for commissioning; 0 only when what was read back agrees. On a serial line stop the agent first");
  write->add_option("URL", write_options.url, "同 probe / as for probe")->required();
  write->add_option("POINT", write_options.point, "测点 / a point, such as relay[1].state")->required();
  write
      ->add_option("VALUE", write_options.value,
                   "数值、状态码或状态名 / a number, a state's code or its text")
      ->required();
  write->add_option(
      "--profile", write_options.profile,
      "设备模板（名称或 .toml 路径），缺省自动识别 / a profile's name or a path; else recognised");
  write->add_option("--profiles-dir", write_options.profiles_dir, "设备模板目录 / the folder of profiles");
  write->add_flag("--yes", write_options.is_confirmed, "不再询问 / do not ask");
  write->add_flag("--json", write_options.json,
                  "输出 JSON，出错时也是 / JSON, errors too: point, unit, source, before, written, "
                  "read_back, doubt, agrees");
  write->callback([&] { code = write_command(write_options); });

  InhibitOptions inhibit_options;
  auto* inhibit = app.add_subcommand(
      "inhibit",
      "抑制运行中采集程序的联动（检修用），到期自动恢复，并在监控中心告警 / stop the "
      "reactions of the running agent for some time; it is an alarm at the centre, and ends "
      "by itself");
  inhibit->add_option("FILE", inhibit_options.settings_file, about_settings)->required();
  inhibit->add_option("--owner", inhibit_options.owner, "负责人 / who answers for it")->required();
  auto* lasting =
      inhibit->add_option("--for", inhibit_options.lasting,
                          "多久，如 30m、2h，最长 24h / how long, such as 30m or 2h; 24h at most");
  inhibit->add_option("--reason", inhibit_options.reason, "原因 / why");
  auto* end = inhibit->add_flag("--end", inhibit_options.is_end, "提前结束 / end it now");
  inhibit->add_flag("--json", inhibit_options.json, command_line::about_json);
  lasting->excludes(end);
  inhibit->callback([&] { code = inhibit_command(inhibit_options); });

  ResetOptions reset_options;
  auto* reset = app.add_subcommand(
      "reset", "复位待复位的联动 / reset reactions of the running agent that are latched (until_reset)");
  reset->add_option("FILE", reset_options.settings_file, about_settings)->required();
  reset->add_option("--owner", reset_options.owner, "负责人 / who answers for it")->required();
  reset->add_option("--reaction", reset_options.reaction, "联动名，缺省全部 / its name; else all of them");
  reset->add_flag("--json", reset_options.json, command_line::about_json);
  reset->callback([&] { code = reset_command(reset_options); });

  auto* guard = app.add_subcommand("guard", "")->group("");  // the agent starts it itself
  guard->add_option("FILE", settings_file)->required();
  guard->callback([&] { code = guard_command(settings_file, load_in_force); });

  ScanOptions scan_options;
  int scan_timeout_ms = 500;
  auto* scan = app.add_subcommand(
      "scan",
      "查找一条总线或一段地址上的设备，写出可用的设置 / ask every address of a range what it "
      "is and write [[device]] tables to start from");
  scan->add_option("URL", scan_options.url, join_texts(&AddressGrammar::ranges))->required();
  scan->add_option("--out", scan_options.out,
                   "写入此文件，缺省为标准输出 / write into this file; else to standard output");
  scan->add_option("--profiles-dir", scan_options.profiles_dir, "设备模板目录 / the folder of profiles");
  scan->add_option("--timeout-ms", scan_timeout_ms,
                   "每次等待应答的毫秒数 / milliseconds to wait for each answer")
      ->check(CLI::Range(20, 10'000))
      ->capture_default_str();
  scan->add_option("--limit", scan_options.limit, "最多询问的地址数 / the most addresses to ask")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  scan->callback([&] {
    scan_options.reply_timeout = std::chrono::milliseconds{scan_timeout_ms};
    code = scan_command(scan_options);
  });

  auto* describe = app.add_subcommand(
      "describe", "打印带注释的完整设置样例 / print agent.toml with every key, its default and its meaning");
  bool describes_metrics = false;
  describe->add_flag("--metrics", describes_metrics,
                     "改为打印 /metrics 的指标表 / the table of what /metrics and the device \"self\" tell");
  describe->callback([&] {
    if (describes_metrics)
      std::cout << metrics_reference();
    else
      code = describe_command();
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? command_line::done : command_line::wrong_input;
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
    return watchroom::command_line::failed;
  }
}
