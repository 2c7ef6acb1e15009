// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/commands.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "aggregator/authority/keeper.hpp"
#include "aggregator/authority/order_signer.hpp"
#include "aggregator/identity/secret.hpp"
#include "proto/base/command_line.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::aggregator {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view program = "watchroom-aggregator";
constexpr unsigned for_all_to_read = 0644;

/// Where to say what is done offline: the audit trail belongs to the running aggregator.
class Unheard final : public AuditTrail {
 public:
  void record(AuditEvent) override {}
};

/// Of aggregator.toml what the authority needs; the files that it will make need not be there yet.
struct House {
  std::string host_id;
  std::filesystem::path data_dir, ca_file, certificate_file, key_file;
  int broker_port = 8883;
  EnrolmentSettings enrolment;

  static std::optional<House> read(const std::string& file, Problems& problems) {
    std::optional<House> house;
    if (const auto table = SettingsTable::load(file, problems)) {
      const SettingsTable broker = table->table("broker");
      const auto path = [&](const char* key) { return broker.file(key, {.help = "", .must_exist = false}); };
      house.emplace();
      house->host_id = table->text("host_id", {.help = "", .fallback = "watchroom", .longest = 64});
      house->data_dir = table->file(
          "data_dir", {.help = "", .fallback = "/var/lib/watchroom/aggregator", .must_exist = false});
      house->ca_file = path("ca_file");
      house->certificate_file = path("certificate_file");
      house->key_file = path("key_file");
      house->broker_port = static_cast<int>(
          broker.integer("port", {.help = "", .fallback = 8883, .least = 1, .most = 65'535}));
      if (const auto enrolment = table->optional_table("enrolment"))
        house->enrolment = EnrolmentSettings::read(*enrolment);
      else
        table->complain("enrolment",
                        "is missing: without the table there is no authority; an empty one will do");
    }
    return problems.empty() ? house : std::nullopt;
  }
};

/// What was done: for people, and for scripts.
struct Told {
  std::string text;
  Json json;
};

struct Options {
  std::string file;
  std::vector<std::string> names;
  KeyPairFiles files;
  int days = 3650;
  bool may_replace = false;
  std::string serial, reason;  // of what is to be revoked
  bool is_forced = false;
  bool json = false;
};

/// Opens the house's authority and does something with it.
int with_authority(const Options& options,
                   const std::function<Result<Told>(const House&, Authority&)>& work) {
  Problems problems;
  const auto house = House::read(options.file, problems);
  if (!house) return command_line::give_up(problems, options.json);
  const auto failed = [&](const Error& error) {
    command_line::give_up(program, error, options.json);
    return command_line::failed;
  };
  const SystemClock clock;
  Unheard trail;
  const Log log = Log::to_stderr(LogLevel::warning);
  const auto folder = house->data_dir / "authority";
  auto authority = Authority::open(folder, house->host_id, house->enrolment, clock, trail, log);
  if (!authority) return failed(authority.error());
  const auto told = work(*house, **authority);
  if (!told) return failed(told.error());
  Keeper keeper{{house->host_id, {}, folder}, **authority, clock, trail, log, {}};
  if (auto done = keeper.write_all(); !done) return failed(done.error());
  if (options.json)
    command_line::print_json(told->json);
  else
    fmt::print("{}\n", told->text);
  return command_line::done;
}

x509::Certificate certificate_in(const std::filesystem::path& file) {
  std::ifstream in{file};
  return x509::certificate_of_pem(std::string{std::istreambuf_iterator<char>{in}, {}});
}

Result<void> write_identity(Authority& authority, const CertificatePlan& plan, const std::string& kind,
                            const KeyPairFiles& files, bool may_replace) {
  for (const auto& file : {files.certificate, files.key}) {
    std::error_code ignored;
    if (!may_replace && std::filesystem::exists(file, ignored))
      return fail(Errc::conflict, Retry::never,
                  "{0} 已存在，用 --replace 覆盖 / {0} exists already; --replace writes over it",
                  file.string());
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  }
  const auto before = certificate_in(files.certificate);
  auto made = authority.issue(plan, kind, before ? x509::serial_of(*before) : "");
  if (!made) return made.error();
  return replace_key_pair(files, made->certificate_pem, made->key_pem);
}

CertificatePlan plan_for(std::string common_name, CertificatePlan::Use use, std::vector<std::string> names,
                         int days) {
  const Timestamp now = SystemClock{}.now();
  return {std::move(common_name), use, std::move(names), now - std::chrono::hours{24},
          now + std::chrono::hours{24} * days};
}

Told written(const KeyPairFiles& files) {
  const auto made = certificate_in(files.certificate);
  Json json{{"certificate_file", files.certificate.string()}, {"key_file", files.key.string()}};
  if (made) json["serial"] = x509::serial_of(*made);
  return {fmt::format("已写入 / wrote {}, {}", files.certificate.string(), files.key.string()),
          std::move(json)};
}

int init(const Options& options) {
  return with_authority(options, [](const House& house, Authority& authority) -> Result<Told> {
    const std::string sha256 = to_hex(authority.issuer().sha256());
    const std::string folder = house.enrolment.broker_folder.string();
    return Told{
        fmt::format("本站 CA 就绪，SHA-256 / the authority is ready, SHA-256: {}\n{}", sha256, folder),
        {{"ca_sha256", sha256}, {"broker_folder", folder}}};
  });
}

int issue_host(const Options& options) {
  return with_authority(options, [&](const House& house, Authority& authority) -> Result<Told> {
    const auto plan = plan_for(house.host_id, CertificatePlan::Use::client, {}, options.days);
    const KeyPairFiles files{house.certificate_file, house.key_file};
    if (auto done = write_identity(authority, plan, "host", files, options.may_replace); !done)
      return done.error();
    if (auto done = replace_file(house.ca_file, authority.ca_pem(), for_all_to_read); !done)
      return done.error();
    Told told = written(files);
    told.text += ", " + house.ca_file.string();
    told.json["ca_file"] = house.ca_file.string();
    return told;
  });
}

int issue_server(const Options& options) {
  return with_authority(options, [&](const House& house, Authority& authority) -> Result<Told> {
    const auto plan = plan_for(options.names.front().substr(0, 64), CertificatePlan::Use::server,
                               options.names, options.days);
    KeyPairFiles files = options.files;
    const bool is_here = files.certificate.empty() && files.key.empty() && house.enrolment.broker_identity;
    if (is_here) files = *house.enrolment.broker_identity;
    if (files.certificate.empty() || files.key.empty())
      return fail(Errc::invalid, Retry::never,
                  "写到哪里？请给 --certificate 和 --key，或在 [enrolment] 中设置 broker_certificate_file 和 "
                  "broker_key_file / where to? --certificate and --key, or broker_certificate_file and "
                  "broker_key_file in "
                  "[enrolment], where it renews itself");
    if (auto done = write_identity(authority, plan, "server", files, options.may_replace); !done)
      return done.error();
    return written(files);
  });
}

/// For a key that may have been stolen. The running aggregator finds the new one before it signs again.
int rotate_signing_key(const Options& options) {
  return with_authority(options, [&](const House& house, Authority& authority) -> Result<Told> {
    const SystemClock clock;
    Unheard trail;
    OrderSigner signer{&authority, house.data_dir / "authority", house.host_id, clock, trail};
    const auto serial = signer.renew();
    if (!serial) return serial.error();
    return Told{
        fmt::format(
            "新签名密钥已就绪，序列号 {0}，下一条指令起使用，无需重启。\n"
            "注意：每个采集代理收到新密钥签发的下一条指令后，旧密钥对它才失效；"
            "监控中心运行时会立即告知每个在线代理（见其 orders.key_since）。\n"
            "The new signing key is ready, serial {0}; the next order is signed with it, no restart "
            "needed.\n"
            "Mind: an agent refuses the old key only after it has heard the new one, by the next order "
            "that it takes. The aggregator, while it runs, tells every agent that is online (see its "
            "orders.key_since).",
            *serial),
        {{"serial", *serial}}};
  });
}

/// As `openssl x509 -serial` and people write it: capitals, without colons.
std::string plain_serial(std::string text) {
  std::erase(text, ':');
  for (char& c : text)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

/// With the one in use gone the broker would let nobody in any more.
Result<void> check_unused(const House& house, const std::vector<CertificateRow>& certificates) {
  std::vector<std::pair<std::filesystem::path, const char*>> in_use{
      {house.certificate_file, "issue-host --replace"}};
  if (house.enrolment.broker_identity)
    in_use.emplace_back(house.enrolment.broker_identity->certificate, "issue-server --replace");
  for (const auto& [file, cure] : in_use) {
    const auto used = certificate_in(file);
    if (!used) continue;
    const std::string serial = x509::serial_of(*used);
    for (const CertificateRow& one : certificates)
      if (one.serial == serial)
        return fail(
            Errc::conflict, Retry::never,
            "{0} 正在使用（{1}），请先换新（authority {2}），新证书启用后旧证书即被吊销；--force 仍然吊销 / "
            "{0} is in use ({1}); make a new one first (authority {2}), which revokes it once the new "
            "one serves; --force revokes it all the same",
            serial, file.string(), cure);
  }
  return {};
}

int revoke(const Options& options) {
  return with_authority(options, [&](const House& house, Authority& authority) -> Result<Told> {
    const std::string name = options.names.empty() ? "" : options.names.front();
    const std::string serial = plain_serial(options.serial);
    const auto found = authority.unrevoked(serial, name);
    if (!found) return found.error();
    if (found->empty())
      return fail(Errc::not_found, Retry::never,
                  "没有未吊销的证书 \"{0}\" / no certificate \"{0}\" on record that is not revoked yet",
                  serial + name);
    for (const CertificateRow& one : *found)
      if (one.kind == "agent" && !serial.empty())
        return fail(
            Errc::invalid, Retry::never,
            "{0} 属于采集代理，须一并吊销：--name {1} / {0} is one of an agent, of which all are revoked "
            "together: --name {1}",
            serial, one.common_name);
    if (!options.is_forced)
      if (auto unused = check_unused(house, *found); !unused) return unused.error();
    // Agents keep no list of the revoked: what ends a signing key is a newer one that they hear.
    if (!options.is_forced && std::any_of(found->begin(), found->end(),
                                          [](const CertificateRow& one) { return one.kind == "signer"; }))
      return fail(
          Errc::conflict, Retry::never,
          "吊销签名密钥不起作用：采集代理在收到更新的密钥（authority rotate-signing-key）之前仍会服从它；"
          "--force 只作登记 / revoking a signing key ends nothing: agents obey it until they hear a newer "
          "one (authority rotate-signing-key); --force notes it as revoked all the same");
    if (auto done = authority.revoke_certificates(*found, options.reason); !done) return done.error();
    Told told;
    auto& revoked = told.json["revoked"] = Json::array();
    for (const CertificateRow& one : *found) {
      told.text += fmt::format("{}已吊销 / revoked: {} {}, {}", told.text.empty() ? "" : "\n", one.kind,
                               one.common_name, one.serial);
      revoked.push_back({{"kind", one.kind}, {"common_name", one.common_name}, {"serial", one.serial}});
    }
    return told;
  });
}

/// mosquitto.conf(5), as this house needs it. The file is read only, nothing is made.
int mosquitto_conf(const Options& options) {
  Problems problems;
  const auto house = House::read(options.file, problems);
  if (!house) return command_line::give_up(problems, options.json);
  const EnrolmentSettings& enrolment = house->enrolment;
  const auto in_folder = [&](const char* name) {
    return std::filesystem::absolute(enrolment.broker_folder / name).string();
  };
  const auto or_else = [](const std::optional<std::filesystem::path>& file, const char* otherwise) {
    return file ? std::filesystem::absolute(*file).string() : std::string{otherwise};
  };
  std::optional<std::filesystem::path> certificate, key;
  if (enrolment.broker_identity) {
    certificate = enrolment.broker_identity->certificate;
    key = enrolment.broker_identity->key;
  }
  const std::vector<std::array<std::string, 2>> lines{
      {"TLS only / 只用 TLS", "listener " + std::to_string(house->broker_port)},
      {"本站 CA / the house's authority", "cafile " + in_folder("ca.pem")},
      {"吊销列表 / who was revoked", "crlfile " + in_folder("crl.pem")},
      {"消息服务器的证书 / the broker's own, by issue-server",
       "certfile " + or_else(certificate, "/etc/mosquitto/certs/broker.pem")},
      {"及其私钥 / and its key", "keyfile " + or_else(key, "/etc/mosquitto/certs/broker.key")},
      {"无证书者不得进入 / nobody without a certificate", "require_certificate true"},
      {"证书通用名即用户名 / the common name is the user", "use_identity_as_username true"},
      {"一个名称只有一个会话 / one session a name", "use_username_as_clientid true"},
      {"无匿名 / nobody without a name", "allow_anonymous false"},
      {"各人只发布自己的主题 / each speaks for itself", "acl_file " + in_folder("acl")},
      {"监控中心据此发 SIGHUP / by which the centre sends SIGHUP",
       "pid_file " + or_else(enrolment.broker_pid_file, "/run/mosquitto/mosquitto.pid")}};
  std::string text;
  for (const auto& [comment, line] : lines) text += fmt::format("# {}\n{}\n", comment, line);
  if (options.json)
    command_line::print_json({{"mosquitto_conf", text}});
  else
    fmt::print("{}", text);
  return command_line::done;
}

/// For a program that is neither agent nor centre. A dot would make it an agent, the centre's name the
/// centre.
int issue_client(const Options& options) {
  return with_authority(options, [&](const House& house, Authority& authority) -> Result<Told> {
    const std::string& name = options.names.front();
    if (!is_valid_id(name) || name == house.host_id)
      return fail(
          Errc::invalid, Retry::never,
          "\"{0}\" 无效，应为 1 至 64 个 A-Z a-z 0-9 _ -，且不同于监控中心的名称 / \"{0}\" is not valid, "
          "expected 1 to 64 of A-Z a-z 0-9 _ - other than the centre's own",
          name);
    const auto plan = plan_for(name, CertificatePlan::Use::client, {}, options.days);
    if (auto done = write_identity(authority, plan, "client", options.files, options.may_replace); !done)
      return done.error();
    return written(options.files);
  });
}

}  // namespace

void declare_authority_commands(CLI::App& app, int& status) {
  auto* authority = app.add_subcommand("authority",
                                       "本站 CA：首次运行前准备证书，签发与吊销 / the house's certificate "
                                       "authority: certificates before the first run, "
                                       "and revocation");
  authority->require_subcommand(1);
  const auto options = std::make_shared<Options>();  // shared by callbacks that outlive this function
  const auto add = [&](const char* name, const char* help, int (*run)(const Options&)) {
    auto* command = authority->add_subcommand(name, help);
    command->add_option("FILE", options->file, "配置文件 / settings, aggregator.toml")->required();
    command->add_flag("--json", options->json, command_line::about_json);
    command->callback([&status, options, run] { status = run(*options); });
    return command;
  };
  const auto add_terms = [&](CLI::App& command) {
    command.add_option("--days", options->days, "有效天数 / good for so many days")
        ->check(CLI::Range(1, 3650))
        ->capture_default_str();
    command.add_flag("--replace", options->may_replace, "覆盖已有文件 / write over files that are there");
  };
  add("init",
      "建立 CA，写出消息服务器所需的 ca.pem、crl.pem、acl / make the authority and the broker's files",
      &init);
  add_terms(*add("issue-host",
                 "签发监控中心自己的证书，写到 [broker] 所列文件 / the aggregator's own certificate, into "
                 "the files that [broker] names",
                 &issue_host));
  add("rotate-signing-key",
      "签名密钥可能泄露时换新，运行中也可 / a new key for signing orders, for one that may have been stolen; "
      "also "
      "while the aggregator runs",
      &rotate_signing_key);
  add("mosquitto-conf", "打印本站可用的 mosquitto.conf / print a mosquitto.conf that is ready for this house",
      &mosquitto_conf);
  auto* revocation =
      add("revoke",
          "吊销本站 CA 签发的任何证书，运行中也可 / revoke any certificate; also while the aggregator runs",
          &revoke);
  auto* which = revocation->add_option_group("certificate");
  which->add_option("--serial", options->serial, "证书序列号（十六进制） / its serial number, hex");
  which->add_option("--name", options->names, "通用名称 (CN) / its common name: all that have it")
      ->expected(1);
  which->require_option(1);
  revocation->add_option("--reason", options->reason, "原因，写入审计日志 / why, for the audit log")
      ->required();
  revocation->add_flag("--force", options->is_forced, "正在使用的也吊销 / also one that is in use");
  const auto add_files = [&](CLI::App& command, bool is_required) {
    command.add_option("--certificate", options->files.certificate, "证书写到 / where the certificate goes")
        ->required(is_required);
    command.add_option("--key", options->files.key, "私钥写到 / where the key goes")->required(is_required);
  };
  auto* server =
      add("issue-server",
          "签发服务器证书（消息服务器等）；不给文件时写到 [enrolment] broker_certificate_file / a server's "
          "certificate, e.g. the broker's; without files into those that [enrolment] names",
          &issue_server);
  server->add_option("--name", options->names, "主机名或地址，可多次 / host name or address, may be repeated")
      ->required();
  add_files(*server, false);
  add_terms(*server);
  auto* client = add("issue-client",
                     "为读取消息服务器的其他程序签发证书，权限写在 more_acl_file / for another program that "
                     "uses the broker; its rights are yours to write into more_acl_file",
                     &issue_client);
  client->add_option("--name", options->names, "名称 / its name")->required()->expected(1);
  add_files(*client, true);
  add_terms(*client);
}

}  // namespace watchroom::aggregator
