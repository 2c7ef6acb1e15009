// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/program.hpp"

#include <array>
#include <cstdio>

#include <sys/stat.h>
#include <sys/wait.h>

#include "aggregator/cli/client.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::cli {
namespace {

using aggregator::FakeRoom;
using aggregator::PointView;
using aggregator::Role;

struct Ended {
  int code = -1;
  std::string out, error;
  bool says(std::string_view text) const { return (out + error).find(text) != std::string::npos; }
};

/// Runs the real program against a real server.
class Program : public aggregator::ServedRoom {
 protected:
  void SetUp() override {
    ServedRoom::SetUp();
    for (const auto& [role, token] : tokens)
      folder.write(fmt::format("{}.token", name_of(role)), token + "\n");
  }

  Ended run(const std::string& arguments, const std::string& environment = "LANG=zh_CN.UTF-8") const {
    const auto error_file = folder / "stderr";
    const std::string command = "env -u LC_ALL -u LC_MESSAGES " + environment + " " WATCHROOM_PROGRAM " " +
                                arguments + " 2>" + error_file.string() + " </dev/null";
    Ended ended;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> piece;
    for (std::size_t count = 0; (count = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
      ended.out.append(piece.data(), count);
    const int status = ::pclose(pipe);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::ifstream in{error_file};
    ended.error.assign(std::istreambuf_iterator<char>{in}, {});
    return ended;
  }
  std::string as(Role role) const {
    return fmt::format(" --url {} --ca-file {} --token-file {}", url(), (folder / "ca.pem").string(),
                       (folder / fmt::format("{}.token", name_of(role))).string());
  }
  std::string users_file() const { return " --users-file " + (folder / "users.toml").string(); }
};

TEST_F(Program, ShowsTheRoomInChineseAndInEnglish) {
  EXPECT_TRUE(run("points" + as(Role::viewer)).says("北侧水浸"));
  EXPECT_TRUE(run("status" + as(Role::viewer)).says("消息服务器"));
  EXPECT_TRUE(run("status --lang en" + as(Role::viewer)).says("broker"));
  EXPECT_TRUE(run("status" + as(Role::viewer), "LANG=en_GB.UTF-8").says("alarms open"));
  EXPECT_TRUE(run("alarms" + as(Role::viewer)).says("北侧水浸 有水"));
  EXPECT_TRUE(run("alarms --lang en" + as(Role::viewer)).says("Water at the north side"));
  EXPECT_TRUE(run("agents" + as(Role::viewer)).says("从未上线"));
  EXPECT_EQ(run("points" + as(Role::viewer)).out.find('\x1b'), std::string::npos)
      << "no terminal, no colours";
}

TEST_F(Program, FiltersAndNeverShowsAnOldValueAsALiveOne) {
  PointView lost = FakeRoom::point("th1", "ambient.temperature", 23.5);
  lost.quality = "stale";
  room.put(lost);
  const Ended ended = run("points --filter TEMPERATURE" + as(Role::viewer));
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(ended.says("— (上次 23.5)")) << ended.out;
  EXPECT_TRUE(ended.says("过期"));
  EXPECT_FALSE(ended.says("leak.state"));
}

TEST_F(Program, PrintsJsonForOtherPrograms) {
  for (const std::string command : {"status", "points", "alarms", "alarms --all", "agents"}) {
    const Ended ended = run(command + " --json" + as(Role::viewer));
    EXPECT_EQ(ended.code, 0) << command;
    EXPECT_TRUE(Json::parse(ended.out).is_object()) << command;
  }
}

TEST_F(Program, AcknowledgesOnceAndSaysWhyNotTwice) {
  const Ended ended = run("ack 12 --comment '马上到' --json" + as(Role::operator_));
  EXPECT_EQ(ended.code, 0) << ended.error;
  EXPECT_EQ(Json::parse(ended.out)["comment"], "马上到");
  const Ended again = run("ack 12" + as(Role::operator_));
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(again.says("状态冲突 (409)")) << again.error;
  EXPECT_EQ(run("ack 12" + as(Role::viewer)).code, 1);
  EXPECT_TRUE(run("ack 12" + as(Role::viewer)).says("观察员"));
}

TEST_F(Program, ShowsAndChangesTheClassOfADevice) {
  aggregator::AgentView agent;
  agent.site = "hq";
  agent.agent = "room1";
  agent.state = "online";
  aggregator::DeviceView ups, self;
  ups.id = "ups1";
  ups.name = "一号 UPS";
  ups.resource_class = ups.class_configured = "general";
  ups.poll_interval = std::chrono::seconds{10};
  self.id = "self";
  self.name = "room1";
  self.is_self = true;
  agent.devices = {ups, self};
  room.put(agent);
  const Ended shown = run("device class hq/room1/ups1" + as(Role::viewer));
  EXPECT_EQ(shown.code, 0) << shown.error;
  EXPECT_TRUE(shown.says("一般") && shown.says("10000 ms")) << shown.out;
  EXPECT_EQ(run("device class hq/room1/ups1 core" + as(Role::viewer)).code, 1);
  const Ended asked = run("device class hq/room1/ups1 core" + as(Role::operator_));
  EXPECT_EQ(asked.code, 0) << asked.error;
  EXPECT_TRUE(asked.says("一般 → 核心（已下发，等待生效）")) << asked.out;
  EXPECT_EQ(Json::parse(run("device class hq/room1/ups1 --json" + as(Role::viewer)).out)["class_wanted"],
            "core");
  EXPECT_EQ(run("device class hq/room1/ups9" + as(Role::viewer)).code, 1);
  for (const std::string wrong : {"hq/ups1", "hq/room1/ups1/x", "hq//ups1", "hq/room1/ups1 vital"})
    EXPECT_EQ(run("device class " + wrong + as(Role::operator_)).code, 2) << wrong;
  EXPECT_TRUE(run("agents" + as(Role::viewer)).says("采集代理自身"));
  PointView load = FakeRoom::point("self", "processor.load", 3.0);
  load.maker = "Watchroom";
  load.model = "agent";
  room.put(load);
  EXPECT_TRUE(run("points" + as(Role::viewer)).says("采集代理自身"));
}

TEST_F(Program, SaysWhatIsWrongWithTheWayToTheServer) {
  const Ended wrong_token = run("status --url " + url() + " --ca-file " + (folder / "ca.pem").string() +
                                " --token-file " + folder.write("old", "wr_0000\n").string());
  EXPECT_EQ(wrong_token.code, 1);
  EXPECT_TRUE(wrong_token.says("服务器不接受这个令牌（401）")) << wrong_token.error;

  const std::string token = " --token-file " + (folder / "viewer.token").string();
  const Ended wrong_ca = run("status --lang en --url " + url() + token);
  EXPECT_EQ(wrong_ca.code, 1);
  EXPECT_TRUE(wrong_ca.says("the server's certificate is not trusted")) << wrong_ca.error;

  server->stop();
  const Ended gone = run("status --json" + as(Role::viewer));
  EXPECT_EQ(gone.code, 1);
  EXPECT_TRUE(gone.error.find("连不上服务器") != std::string::npos) << gone.error;
  EXPECT_EQ(Json::parse(gone.out)["error"]["code"], "not_connected");

  EXPECT_EQ(run("status --url http://127.0.0.1:1" + token).code, 2) << "a token never goes in the clear";
}

TEST_F(Program, RefusesWrongUsageWithTwo) {
  for (const std::string arguments : {"", "dance", "ack", "ack x", "points --nonsense", "user", "user add li",
                                      "user add li --role emperor --users-file x", "status", "audit",
                                      "user totp li", "user token li --name x", "user list"})
    EXPECT_EQ(run(arguments).code, 2) << arguments;
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_EQ(run("--version").code, 0);
  EXPECT_EQ(run("output set hq/room1/siren on --reason x --yes --for 5" + as(Role::shift_lead)).code, 2)
      << "5 what?";
  EXPECT_TRUE(run("output set --help").says("原因（记入审计） / why, for the audit"));
  const Ended ended = run("user totp li --json");
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(Json::parse(ended.out)["error"]["code"], "invalid");
}

TEST_F(Program, TakesItsPlaceFromTheEnvironment) {
  const Ended ended =
      run("status --json", fmt::format("WATCHROOM_URL={} WATCHROOM_CA_FILE={} WATCHROOM_TOKEN_FILE={}", url(),
                                       (folder / "ca.pem").string(), (folder / "auditor.token").string()));
  EXPECT_EQ(ended.code, 0) << ended.error;
}

TEST_F(Program, AUserMadeHereCanLogInThereAtOnce) {
  const std::string password_file = folder.write("password", "correct horse battery\n").string();
  ASSERT_EQ(run("user add 李雷 --role shift_lead --password-file " + password_file + users_file()).code, 0);
  EXPECT_EQ(log_in("李雷").status, 200);
  EXPECT_EQ(run("user add 李雷 --role viewer --generate" + users_file()).code, 1) << "there is one already";

  const std::string token_file = (folder / "lei.token").string();
  ASSERT_EQ(run("user token 李雷 --name script --days 3650 --token-file " + token_file + users_file()).code,
            0);
  struct stat status {};
  ASSERT_EQ(::stat(token_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string way =
      fmt::format(" --url {} --ca-file {} --token-file {}", url(), (folder / "ca.pem").string(), token_file);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  Ended ended;
  while (ended.code != 0 && std::chrono::steady_clock::now() < deadline) ended = run("ack 12 --json" + way);
  EXPECT_EQ(Json::parse(ended.out)["acknowledged_by"], "李雷");

  EXPECT_EQ(run("user token 李雷 --name script --token-file " + token_file + users_file()).code, 1)
      << "an existing file is not overwritten";
  EXPECT_EQ(run("user token 李雷 --name script --revoke" + users_file()).code, 0);
  EXPECT_EQ(run("user remove 李雷" + users_file()).code, 0);
  EXPECT_EQ(log_in("李雷").status, 401);
}

TEST_F(Program, AGeneratedPasswordIsShownOnceAndWorks) {
  const Ended ended = run("user password viewer --generate --json" + users_file());
  ASSERT_EQ(ended.code, 0) << ended.error;
  EXPECT_EQ(log_in("viewer", Json::parse(ended.out)["password"].get<std::string>()).status, 200);
  EXPECT_EQ(log_in("viewer").status, 401);
}

TEST_F(Program, AWeakPasswordAndAMissingTerminalAreRefused) {
  const std::string short_one = folder.write("password", "short\n").string();
  const Ended weak = run("user add li --role viewer --password-file " + short_one + users_file());
  EXPECT_EQ(weak.code, 2);
  EXPECT_TRUE(weak.says("至少 10 个字符"));
  EXPECT_TRUE(run("user add li --role viewer --lang en" + users_file()).says("there is no terminal"));
  EXPECT_FALSE(run("user list" + users_file()).says("li "));
}

TEST_F(Program, LetsAnAgentInAndOut) {
  const Ended shown = run("enrol hq/room1 --hours 2" + as(Role::administrator));
  EXPECT_EQ(shown.code, 0) << shown.error;
  EXPECT_TRUE(shown.says("wre1.token") && shown.says("watchroom-agent enrol https://centre:8444"))
      << shown.out;
  const std::string file = (folder / "room1.token").string();
  const Ended written = run("enrol hq/room1 --json --out " + file + as(Role::administrator));
  EXPECT_EQ(written.code, 0) << written.error;
  EXPECT_FALSE(written.says("wre1.token")) << "it is in the file and nowhere else";
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(run("enrol hq/room1 --out " + file + as(Role::administrator)).code, 1) << "not written over";
  EXPECT_EQ(run("enrol room1" + as(Role::administrator)).code, 2);
  EXPECT_EQ(run("enrol hq/room1" + as(Role::shift_lead)).code, 1);

  EXPECT_TRUE(run("agents" + as(Role::viewer)).says("hq/room1"));
  EXPECT_TRUE(run("agents --lang en" + as(Role::viewer)).says("valid until"));
  EXPECT_EQ(run("revoke hq/room1" + as(Role::administrator)).code, 2) << "a reason is needed";
  EXPECT_EQ(run("revoke hq/room1 --reason stolen" + as(Role::administrator)).code, 0);
  EXPECT_TRUE(run("agents --lang en" + as(Role::viewer)).says("revoked on"));
  EXPECT_EQ(Json::parse(run("agents --json" + as(Role::viewer)).out)["identities"][0]["reason"], "stolen");
}

TEST_F(Program, ListsUsersWithTheirTokens) {
  const Json listed = Json::parse(run("user list --json" + users_file()).out)["users"];
  EXPECT_EQ(listed.size(), aggregator::all_roles.size());
  EXPECT_EQ(listed[0]["tokens"], Json({"test"}));
  EXPECT_TRUE(run("user list" + users_file()).says("观察员"));
}

TEST_F(Program, ListsExportsAndVerifiesTheAuditLog) {
  EXPECT_EQ(run("ack 12 --comment 马上到" + as(Role::operator_)).code, 0);
  EXPECT_EQ(run("ack 12" + as(Role::viewer)).code, 1);
  (void)entries_of("request.refuse");
  const Ended listed = run("audit list" + as(Role::auditor));
  EXPECT_EQ(listed.code, 0) << listed.error;
  for (const auto* words : {"alarm.acknowledge", "马上到", "request.refuse", "拒绝", "127.0.0.1"})
    EXPECT_TRUE(listed.says(words)) << words << listed.out;
  EXPECT_EQ(run("audit list" + as(Role::operator_)).code, 1) << "not for operators";

  const Ended verified = run("audit verify --json" + as(Role::auditor));
  EXPECT_EQ(verified.code, 0) << verified.error;
  const std::string head = Json::parse(verified.out)["head"]["hash"];
  EXPECT_EQ(run("audit verify --expect " + head + as(Role::auditor)).code, 0);
  EXPECT_EQ(run("audit verify --expect " + std::string(64, '0') + as(Role::auditor)).code, 1);

  const std::string file = (folder / "audit.jsonl").string();
  EXPECT_EQ(run("audit export --out " + file + as(Role::auditor)).code, 0);
  EXPECT_EQ(run("audit export --out " + file + as(Role::auditor)).code, 1) << "no export is overwritten";
  EXPECT_EQ(run("audit verify --file " + file).code, 0) << "without a server";
  EXPECT_EQ(run("audit verify --file " + file + " --expect " + head).code, 0);
  std::ifstream in{file};
  std::string first, second;
  std::getline(in, first);
  std::getline(in, second);
  folder.write("altered",
               first + "\n" + std::string{second}.replace(second.find("viewer"), 6, "viewed") + "\n");
  const Ended altered = run("audit verify --lang en --file " + (folder / "altered").string());
  EXPECT_EQ(altered.code, 1);
  EXPECT_TRUE(altered.says("entry 2 was altered")) << altered.out;
  folder.write("empty", "");
  EXPECT_EQ(run("audit verify --file " + (folder / "empty").string()).code, 1) << "nothing proves nothing";
}

TEST_F(Program, AnAdministratorManagesUsersOverTheServer) {
  const std::string administrator = as(Role::administrator);
  const Ended added = run("user add 韩梅 --role operator --domain site:hq --json" + administrator);
  ASSERT_EQ(added.code, 0) << added.error;
  EXPECT_EQ(log_in("韩梅", Json::parse(added.out)["password"].get<std::string>()).status, 200);
  EXPECT_TRUE(run("user list" + administrator).says("site:hq"));
  EXPECT_EQ(run("user change 韩梅 --role shift_lead" + administrator).code, 0);
  EXPECT_EQ(users.named("韩梅")->role, Role::shift_lead);
  EXPECT_FALSE(users.named("韩梅")->reach.is_everything()) << "what was not asked for stays";
  EXPECT_EQ(run("user change 韩梅 --everywhere" + administrator).code, 0);
  EXPECT_TRUE(users.named("韩梅")->reach.is_everything());
  EXPECT_TRUE(run("user password 韩梅" + administrator).says("密码"));
  EXPECT_EQ(run("user totp 韩梅 --remove" + administrator).code, 0);
  EXPECT_EQ(run("user remove 韩梅" + administrator).code, 0);
  EXPECT_EQ(run("user remove 韩梅" + administrator).code, 1);
  EXPECT_EQ(run("user list" + as(Role::auditor)).code, 1);
}

TEST_F(Program, AnAdministratorMakesAndEndsTokensOverTheServer) {
  const std::string file = (folder / "grafana.token").string(), administrator = as(Role::administrator);
  const std::string wish = "user token operator --name grafana --action view --out " + file;
  const Ended made = run(wish + " --json" + administrator);
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_FALSE(made.says("wr_")) << "it is in the file and nowhere else";
  EXPECT_EQ(Json::parse(made.out)["expires_at"], to_rfc3339(clock.now() + std::chrono::hours{90 * 24}));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string way =
      fmt::format(" --url {} --ca-file {} --token-file {}", url(), (folder / "ca.pem").string(), file);
  EXPECT_EQ(run("points" + way).code, 0);
  EXPECT_EQ(run("ack 12" + way).code, 1) << "only what was named";
  EXPECT_EQ(run(wish + administrator).code, 1) << "the file is not written over";
  EXPECT_EQ(run("user token operator --name grafana --revoke" + administrator).code, 0);
  EXPECT_EQ(run("points" + way).code, 1);
  EXPECT_EQ(run("user token operator --name x" + administrator).code, 2) << "where to?";
  EXPECT_EQ(run("user token operator --name x --days 0 --out " + file + "2" + administrator).code, 2);
  EXPECT_EQ(run("user token operator --name x --out " + file + "3" + as(Role::operator_)).code, 1);
}

TEST_F(Program, APasswordFileIsNotSilentlyIgnoredOverTheServer) {
  const std::string file = folder.write("password", "correct horse battery\n").string();
  const std::string administrator = as(Role::administrator);
  EXPECT_EQ(run("user add li --role viewer --password-file " + file + administrator).code, 2);
  const Ended ended = run("user password viewer --lang en --password-file " + file + administrator);
  EXPECT_EQ(ended.code, 2);
  EXPECT_TRUE(ended.says("--password-file needs --users-file")) << ended.error;
  EXPECT_EQ(log_in("viewer").status, 200) << "nothing was changed";
}

TEST_F(Program, TheLastAdministratorStaysOneInTheFileToo) {
  const Ended ended = run("user remove administrator" + users_file());
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(ended.says("最后一名管理员")) << ended.error;
  EXPECT_EQ(run("user change administrator --role viewer" + users_file()).code, 1);
  EXPECT_EQ(run("user change administrator --domain site:hq" + users_file()).code, 1);
  EXPECT_EQ(run("user change viewer --role administrator" + users_file()).code, 0);
  EXPECT_EQ(run("user remove administrator" + users_file()).code, 0) << "there is another now";
}

TEST_F(Program, ATokenCanBeLimitedInEveryWay) {
  const std::string file = (folder / "narrow.token").string();
  ASSERT_EQ(run("user token operator --name narrow --role viewer --action view --domain site:south --days 3 "
                "--token-file " +
                file + users_file())
                .code,
            0);
  users.reread_if_changed();
  const auto content = users.content();
  const auto& token = content.tokens.back();
  EXPECT_EQ(token.role, Role::viewer);
  EXPECT_EQ(token.actions, std::vector{aggregator::Action::view});
  EXPECT_EQ(token.domains, std::vector<std::string>{"site:south"});
  EXPECT_TRUE(token.expires);
  EXPECT_EQ(run("user token operator --name x --domain hq --token-file " + file + "2" + users_file()).code,
            2);
  EXPECT_EQ(run("user token operator --name x --role administrator --out " + file + "2" + users_file()).code,
            2)
      << "no more than its user may";
  EXPECT_EQ(run("user token operator --name y --out " + file + "3" + users_file()).code, 0);
  users.reread_if_changed();
  EXPECT_TRUE(users.content().tokens.back().expires) << "every token has an end";
  EXPECT_EQ(run("user add x --role viewer --domain planet:earth --generate" + users_file()).code, 2);
}

TEST_F(Program, WhatADeviceCallsItselfIsNotObeyedByTheTerminal) {
  PointView evil = FakeRoom::point("x", "leak.state", std::int64_t{1});
  evil.device_name = evil.label_zh = "\x1b[2J\x1b]0;owned\x07\u009b31m\u202e'; DROP TABLE alarm; --";
  room.put(evil);
  for (const std::string arguments : {"points", "points --json"}) {
    const Ended ended = run(arguments + as(Role::viewer));
    EXPECT_EQ(ended.code, 0);
    EXPECT_TRUE(ended.says("DROP TABLE"));
    EXPECT_EQ(ended.out.find_first_of("\x1b\x07"), std::string::npos) << arguments;
    EXPECT_EQ(ended.out.find("\u009b"), std::string::npos) << arguments;
    EXPECT_EQ(ended.out.find("\u202e"), std::string::npos) << arguments;
  }
  EXPECT_EQ(
      Json::parse(run("points --json" + as(Role::viewer)).out)["points"][0]["device_name"].dump().empty(),
      false);
}

}  // namespace
}  // namespace watchroom::cli
