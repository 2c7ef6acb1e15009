// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/program.hpp"

#include <cstdlib>
#include <functional>
#include <map>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "aggregator/cli/agent_commands.hpp"
#include "aggregator/cli/audit_commands.hpp"
#include "aggregator/cli/configuration_commands.hpp"
#include "aggregator/cli/output_commands.hpp"
#include "aggregator/cli/room_commands.hpp"
#include "aggregator/cli/user_rest_commands.hpp"
#include "proto/base/command_line.hpp"

namespace watchroom::cli {
namespace {

using aggregator::Role;

/// Declares the command line; each command leaves what it would do in `action`.
class CommandLine {
 public:
  CommandLine()
      : console_{language_of_environment(), false,
                 ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr} {
    app_.description(say("机房值守：命令行", "Watchroom: the machine room on the command line"));
    app_.footer(command_line::about_exit_codes);
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_help_flag("-h,--help", command_line::about_help);
    app_.set_version_flag("--version", "watchroom " WATCHROOM_VERSION, command_line::about_version);
    declare_globals();
    declare_room_commands();
    declare_user_commands();
    declare_audit_commands();
  }

  int run(int argument_count, const char* const* arguments) {
    try {
      app_.parse(argument_count, arguments);
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error);
      return code == 0 ? exit_ok : exit_usage;
    }
    if (!language_name_.empty())
      console_.language = language_name_ == "en" ? Language::english : Language::chinese;
    return action_();
  }

 private:
  /// The help is read by whoever finds the program: both languages.
  static std::string say(std::string_view chinese, std::string_view english) {
    return fmt::format("{} / {}", chinese, english);
  }
  int refuse(std::string_view chinese, std::string_view english) const {
    return give_up(console_, fail(Errc::invalid, Retry::never, "{}", console_.say(chinese, english)));
  }
  Client client() const { return Client{target_, console_}; }

  void declare_globals() {
    app_.add_option("--url", target_.url, say("聚合器地址", "where the aggregator is"))
        ->envname("WATCHROOM_URL")
        ->capture_default_str();
    app_.add_option("--ca-file", target_.ca_file,
                    say("服务器证书的 CA（PEM）", "CA of the server's certificate (PEM)"))
        ->envname("WATCHROOM_CA_FILE");
    app_.add_option("--token-file", token_file_,
                    say("令牌文件（user token --users-file 时为输出）",
                        "file with the API token (for `user token --users-file`: to be written)"))
        ->envname("WATCHROOM_TOKEN_FILE");
    app_.add_flag("--json", console_.is_json, command_line::about_json);
    app_.add_option("--lang", language_name_,
                    say("输出的语言：zh 或 en", "language of what is printed: zh or en"))
        ->check(CLI::IsMember({"zh", "en"}));
  }

  CLI::App* command(CLI::App& parent, const std::string& name, const std::string& help,
                    std::function<int()> action) {
    CLI::App* added = parent.add_subcommand(name, help);
    added->callback([this, action = std::move(action)] {
      target_.token_file = token_file_;
      action_ = action;
    });
    return added;
  }

  void declare_room_commands() {
    command(app_, "status", say("总体状态", "how things are"),
            [this] { return show_status(client(), console_); });
    command(app_, "points", say("测点的当前值", "points as they are now"), [this] {
      return show_points(client(), console_, filter_);
    })->add_option("--filter", filter_, say("只列出包含此文字的测点", "only points that contain this text"));
    command(app_, "alarms", say("告警", "alarms"), [this] {
      return show_alarms(client(), console_, all_);
    })->add_flag("--all", all_, say("包括已恢复的", "those that are over, too"));
    CLI::App* ack = command(app_, "ack", say("确认告警", "acknowledge an alarm"),
                            [this] { return acknowledge(client(), console_, alarm_, comment_); });
    ack->add_option("ID", alarm_, say("告警编号", "the alarm's number"))->required();
    ack->add_option("--comment", comment_, say("备注", "a comment"));
    CLI::App* device = app_.add_subcommand("device", say("设备", "a device"));
    device->require_subcommand(1);
    device->fallthrough();
    CLI::App* its_class = command(
        *device, "class",
        say("查看或更改设备等级（决定采集间隔与测点）", "its class: how often and how much it is asked"),
        [this] { return device_class(client(), console_, device_, class_); });
    its_class->add_option("DEVICE", device_, say("站点/采集代理/设备", "SITE/AGENT/DEVICE"))->required();
    its_class
        ->add_option("CLASS", class_,
                     say("core 核心、key 关键、general 一般；省略则只查看",
                         "core, key or general; without it the class is shown"))
        ->check(CLI::IsMember({"core", "key", "general"}));
    command(app_, "agents", say("采集代理与设备", "agents and devices"),
            [this] { return show_agents(client(), console_); });
    declare_agent_commands();
  }

  void declare_agent_commands() {
    const auto add_place = [this](CLI::App& to) {
      to.add_option("AGENT", agent_, say("站点/采集代理", "SITE/AGENT"))->required();
    };
    CLI::App* enrol =
        command(app_, "enrol", say("为采集代理生成一次性登记令牌", "a token with which an agent enrols once"),
                [this] { return enrol_agent(client(), console_, agent_, hours_, out_); });
    add_place(*enrol);
    enrol->add_option("--hours", hours_, say("令牌有效小时数", "the token is good for so long"))
        ->check(CLI::Range(1, 24 * 30))
        ->capture_default_str();
    enrol->add_option("--out", out_, say("令牌写入此文件", "write the token into this file"));
    CLI::App* revoke =
        command(app_, "revoke",
                say("吊销采集代理的证书并切断其连接", "void an agent's certificates, cut its session"),
                [this] { return revoke_agent(client(), console_, agent_, reason_); });
    add_place(*revoke);
    revoke->add_option("--reason", reason_, say("原因（记入审计）", "why, for the audit"))->required();
    declare_configuration_commands();
    declare_output_commands();
  }

  void declare_output_commands() {
    CLI::App* output = app_.add_subcommand(
        "output", say("输出：警笛、阀门、插座等", "outputs: sirens, valves, outlets that agents work"));
    output->require_subcommand(1);
    output->fallthrough();
    command(*output, "list", say("全部输出及其状态、最近命令", "all of them, with state and last order"),
            [this] { return show_outputs(client(), console_); });
    const auto add_place = [this](CLI::App& to) {
      to.add_option("OUTPUT", output_, say("站点/采集代理/输出", "SITE/AGENT/OUTPUT"))->required();
    };
    add_place(*command(*output, "history", say("历次命令", "every order it was given"),
                       [this] { return show_output_orders(client(), console_, output_); }));
    CLI::App* set = command(*output, "set",
                            say("打开、关闭或恢复自动：先显示，确认后签名下发，直到回读",
                                "on, off or automatic: shown, confirmed, signed, and followed until it is "
                                "read back"),
                            [this] { return switch_output(client(), console_, output_, wanted_output_); });
    add_place(*set);
    set->add_option("TO", wanted_output_.to, say("on 开、off 关、automatic 自动", "on, off or automatic"))
        ->required()
        ->check(CLI::IsMember({"on", "off", "automatic"}));
    set->add_option("--for", wanted_output_.lasting_s,
                    say("保持多久（如 90s、10m、2h），到时恢复自动",
                        "for how long it holds (90s, 10m, 2h), then it is automatic again"))
        ->transform(
            CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                  CLI::AsNumberWithUnit::UNIT_REQUIRED))
        ->check(CLI::Range(2, 86'400))
        ->default_str("10m");
    set->add_option(
           "--within", wanted_output_.within_s,
           say("须在多少秒内完成并回读，否则放弃", "seconds to be done and read back in, or given up"))
        ->check(CLI::Range(2, 60))
        ->capture_default_str();
    set->add_option("--reason", wanted_output_.comment, say("原因（记入审计）", "why, for the audit"))
        ->required();
    set->add_flag("--yes", wanted_output_.is_confirmed, say("不再询问", "do not ask"));
  }

  void declare_configuration_commands() {
    CLI::App* config = app_.add_subcommand(
        "config", say("采集代理的集中配置", "what an agent is to be like, given from here"));
    config->require_subcommand(1);
    config->fallthrough();
    const auto add = [&](const char* name, const std::string& help, std::function<int()> action) {
      CLI::App* added = command(*config, name, help, std::move(action));
      added->add_option("AGENT", agent_, say("站点/采集代理", "SITE/AGENT"))->required();
      return added;
    };
    add("show", say("最近下发的配置及其状态", "the one given last, and how far the agent is with it"),
        [this] { return show_configuration(client(), console_, agent_); });
    add("history", say("历次下发的配置", "every one that was given"),
        [this] { return show_configuration_history(client(), console_, agent_); });
    CLI::App* set =
        add("set", say("签名并下发配置，等待结果", "sign it, give it, and wait for what comes of it"),
            [this] { return give_configuration(client(), console_, agent_, configuration_file_, comment_); });
    set->add_option("FILE", configuration_file_,
                    say("TOML：classes、snmp_traps、device、output、reaction、inhibit",
                        "TOML: classes, snmp_traps, device, output, reaction, inhibit"))
        ->required();
    set->add_option("--reason", comment_, say("原因（记入审计）", "why, for the audit"));
    add("restore", say("再次下发某个历史配置", "give an earlier one again"),
        [this] { return restore_configuration(client(), console_, agent_, number_); })
        ->add_option("NUMBER", number_, say("配置编号", "its number"))
        ->required();
  }

  void declare_user_commands() {
    CLI::App* user = app_.add_subcommand(
        "user", say("用户与令牌：经服务器（管理员令牌），或用 --users-file 直接改用户文件",
                    "users and tokens: over the server (an administrator's token), or in the users file"));
    user->require_subcommand(1);
    user->fallthrough();
    user->add_option("--users-file", users_file_,
                     say("用户文件，直接更改，无需服务器", "change this users file; needs no server"));

    CLI::App* add = command(*user, "add", say("添加用户", "add a user"), [this] {
      if (users_file_.empty() && !source_.file.empty()) return server_makes_passwords();
      if (users_file_.empty()) return rest::add_user(client(), console_, name_, wishes_);
      return add_user(console_, users_file_, name_, wishes_, source_);
    });
    add_name(*add);
    add_role(*add)->required();
    add_domains(*add);
    add_password_source(*add);

    CLI::App* change =
        command(*user, "change", say("更改角色或范围", "another role or other domains"), [this] {
          if (users_file_.empty()) return rest::change_user(client(), console_, name_, wishes_);
          return change_user(console_, users_file_, name_, wishes_);
        });
    add_name(*change);
    add_role(*change);
    add_domains(*change);
    change->add_flag("--everywhere", wishes_.everywhere,
                     say("不再限定范围", "limited to no domains any more"));

    const std::string about =
        say("更改密码；经服务器时为重置", "change a password; over the server: reset it");
    CLI::App* password = command(*user, "password", about, [this] {
      if (users_file_.empty() && !source_.file.empty()) return server_makes_passwords();
      if (users_file_.empty()) return rest::reset_password(client(), console_, name_);
      return change_password(console_, users_file_, name_, wishes_, source_);
    });
    add_name(*password);
    add_password_source(*password);

    add_name(*command(*user, "remove", say("删除用户", "remove a user"), [this] {
      if (users_file_.empty()) return rest::remove_user(client(), console_, name_);
      return remove_user(console_, users_file_, name_);
    }));
    command(*user, "list", say("列出用户", "list the users"), [this] {
      if (users_file_.empty()) return rest::list_users(client(), console_);
      return list_users(console_, users_file_);
    });
    declare_totp_and_tokens(*user);
  }

  int server_makes_passwords() const {
    return refuse("经服务器时密码由服务器生成、显示一次并须更改；--password-file 需要 --users-file",
                  "over the server the password is made there, shown once and must be changed; "
                  "--password-file needs --users-file");
  }

  int needs_users_file() const { return refuse("此命令需要 --users-file", "this needs --users-file"); }

  /// Here --token-file is the administrator's own token, so the new one goes elsewhere.
  int token_over_server() const {
    if (is_revoking_) return rest::revoke_token(client(), console_, name_, token_name_);
    if (!out_.empty()) return rest::add_token(client(), console_, name_, token_name_, out_, wishes_);
    return refuse("经服务器时 user token 需要 --out（--token-file 是管理员自己的令牌）",
                  "over the server user token needs --out (--token-file is the administrator's own token)");
  }

  void declare_totp_and_tokens(CLI::App& user) {
    CLI::App* totp =
        command(user, "totp", say("启用一次性验证码", "ask this user for one-time codes"), [this] {
          if (is_revoking_ && users_file_.empty()) return rest::end_totp(client(), console_, name_);
          if (users_file_.empty()) return needs_users_file();
          return is_revoking_ ? end_totp(console_, users_file_, name_)
                              : begin_totp(console_, users_file_, name_);
        });
    add_name(*totp);
    totp->add_flag("--remove", is_revoking_,
                   say("停用（例如手机丢失）", "no more, e.g. the telephone is lost"));

    CLI::App* token = command(user, "token", say("生成或撤销 API 令牌", "make or end an API token"), [this] {
      if (users_file_.empty()) return token_over_server();
      if (is_revoking_) return revoke_token(console_, users_file_, name_, token_name_);
      const std::string& file = out_.empty() ? token_file_ : out_;
      if (!file.empty()) return add_token(console_, users_file_, name_, token_name_, file, wishes_);
      return refuse("user token 需要 --out", "user token needs --out");
    });
    add_name(*token);
    token->add_option("--name", token_name_, say("令牌用途", "what the token is for"))->required();
    token->add_option("--out", out_,
                      say("新令牌写入此文件（0600，须不存在；与 --users-file 合用时也可用 --token-file）",
                          "write the new token into this file (0600), which must not exist yet; with "
                          "--users-file also --token-file"));
    token->add_flag("--revoke", is_revoking_, say("撤销此令牌", "end this token"));
    add_role(*token);
    add_domains(*token);
    std::vector<std::string> actions;
    for (const aggregator::Action action : aggregator::all_actions) actions.emplace_back(name_of(action));
    token
        ->add_option("--action", wishes_.actions,
                     say("只允许此操作（可重复）", "only this action (repeatable)"))
        ->check(CLI::IsMember(actions));
    token
        ->add_option("--days", wishes_.days,
                     say("有效天数；新令牌都有期限", "for how many days; every new token has an end"))
        ->check(CLI::Range(1, aggregator::most_token_days))
        ->capture_default_str();
  }

  void declare_audit_commands() {
    CLI::App* audit = app_.add_subcommand("audit", say("审计日志", "the audit log"));
    audit->require_subcommand(1);
    audit->fallthrough();
    CLI::App* list = command(*audit, "list", say("最近的条目", "the newest entries"),
                             [this] { return list_audit(client(), console_, span_, limit_); });
    list->add_option("--limit", limit_, say("条数", "how many"))->check(CLI::Range(1, 2000));
    add_span(*list);
    CLI::App* verify = command(*audit, "verify", say("重新计算全部哈希", "recompute every hash"), [this] {
      if (!audit_file_.empty()) return verify_audit_file(console_, audit_file_, expected_);
      return verify_audit(client(), console_, expected_);
    });
    verify->add_option("--file", audit_file_,
                       say("导出的文件，无需服务器", "an exported file; needs no server"));
    verify->add_option(
        "--expect", expected_,
        say("以前记下的末条哈希，必须仍在日志中", "a head noted before, which must be in the log"));
    CLI::App* save = command(*audit, "export", say("导出为 JSON Lines", "as JSON Lines"),
                             [this] { return export_audit(client(), console_, span_, audit_file_); });
    save->add_option("--out", audit_file_, say("写入此新文件", "to this new file"));
    add_span(*save);
  }

  void add_span(CLI::App& to) {
    to.add_option("--since", span_.since,
                  say("自（如 2026-11-21T03:00:00Z）", "from, e.g. 2026-11-21T03:00:00Z"));
    to.add_option("--until", span_.until, say("至", "to"));
  }

  CLI::Option* add_role(CLI::App& to) {
    std::vector<std::string> roles;
    for (const Role role : aggregator::all_roles) roles.emplace_back(aggregator::name_of(role));
    return to.add_option("--role", wishes_.role, say("角色", "the role"))->check(CLI::IsMember(roles));
  }

  void add_domains(CLI::App& to) {
    to.add_option("--domain", wishes_.domains,
                  say("范围（可重复）：region:区域、site:站点、room:站点/采集代理；省略为全部",
                      "part of the house (repeatable): region:NAME, site:SITE, room:SITE/AGENT"));
  }

  void add_name(CLI::App& to) { to.add_option("NAME", name_, say("用户名", "the user's name"))->required(); }

  void add_password_source(CLI::App& to) {
    auto* file = to.add_option("--password-file", source_.file,
                               say("第一行为密码的文件", "a file whose first line is the password"));
    to.add_flag("--generate", source_.generate, say("生成密码并显示一次", "make one and show it once"))
        ->excludes(file);
    to.add_flag("--must-change", wishes_.must_change,
                say("下次登录须更改密码", "it must be changed at the next log-in"));
  }

  Console console_;
  Target target_{"https://127.0.0.1:8443", "", ""};
  CLI::App app_{"", "watchroom"};
  std::function<int()> action_;
  std::string token_file_, language_name_, filter_, comment_, users_file_, name_, token_name_, device_,
      class_, audit_file_, expected_, agent_, out_, reason_, configuration_file_, output_;
  WantedOutput wanted_output_;
  PasswordSource source_;
  Wishes wishes_;
  AuditSpan span_;
  std::int64_t alarm_ = 0, limit_ = 50, number_ = 0;
  int hours_ = 24;
  bool all_ = false, is_revoking_ = false;
};

}  // namespace

int run_program(int argument_count, const char* const* arguments) {
  return CommandLine{}.run(argument_count, arguments);
}

}  // namespace watchroom::cli
