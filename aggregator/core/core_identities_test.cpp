// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/core/tested_core.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::string_view identity_rules = R"(
[[rule]]
id = "away-7"
kind = "offline_certificate"
raise_below = 7.0
severity = "major"
title_zh = "离线证书"
title_en = "Offline certificate"
[[rule]]
id = "files"
kind = "broker_files"
severity = "major"
title_zh = "吊销列表"
title_en = "Revocation list"
[[rule]]
id = "own-30"
kind = "own_certificate"
raise_below = 30.0
severity = "warning"
title_zh = "证书"
title_en = "Certificate"
[[rule]]
id = "cloned"
kind = "cloned_agent"
severity = "critical"
title_zh = "身份被复制"
title_en = "Cloned"
[[rule]]
id = "guesses"
kind = "refused_log_ins"
raise_above = 15.0
clear_below = 5.0
severity = "major"
title_zh = "多次登录被拒"
title_en = "Refused log-ins"
)";

/// What the certificate authority tells the core.
class Identities : public CoreTest {
 protected:
  Identities() {
    Problems problems;
    rules = read_rules(*SettingsTable::parse(identity_rules, "rules.toml", problems));
    EXPECT_TRUE(problems.empty()) << problems.str();
    restart();
  }
  void dies() {
    Payload death;
    death.metrics = {{.name = "bdSeq", .value = bd_seq}};
    receive("spBv1.0/hq/NDEATH/room1", death);
  }
  void tells(std::chrono::hours left, const std::string& state = "valid", const std::string& trouble = "") {
    AgentIdentity one{"hq", "room1", "hq.room1", state, "0A"};
    one.valid_until = clock.now() + left;
    happen(IdentityNews{{one}, trouble});
    pass(2s);
  }
  void tells_own(std::vector<std::chrono::hours> left) {
    std::vector<EndangeredCertificate> endangered;
    for (const auto& each : left)
      endangered.push_back({"消息服务器的证书", "the broker's certificate", "磁盘已满",
                            fmt::format("no space, {}", each.count()), clock.now() + each});
    happen(IdentityNews{{}, "", endangered});
    pass(2s);
  }
  /// A birth with a journal of its own, as of one of our agents.
  void is_born_with(std::uint8_t journal, std::int64_t head, std::int64_t own_bd_seq) {
    bd_seq = own_bd_seq;
    Payload node;
    node.seq = 0;
    node.metrics = {{.name = "bdSeq", .value = own_bd_seq},
                    {.name = "Journal/Id", .value = to_hex(JournalId{journal})},
                    {.name = "Journal/Head", .value = head}};
    receive("spBv1.0/hq/NBIRTH/room1", node);
    pass(3s);
  }
  void refuses(std::uint64_t count, bool is_whole = true) {
    outside.refused = {count, 3, "admin", "10.0.0.66", is_whole};
    pass(2s);
  }
  bool is_raised(const std::string& rule) const {
    for (const AlarmView& alarm : room->alarms(0))
      if (alarm.rule == rule && alarm.is_active) return true;
    return false;
  }
};

TEST_F(Identities, TheCertificateOfAnAgentThatIsAwayRaisesAnAlarm) {
  be_born();
  tells(24h * 3);
  EXPECT_FALSE(is_raised("away-7")) << "an agent that is there tells of it itself";
  dies();
  pass(2s);
  EXPECT_TRUE(is_raised("away-7"));
  tells(24h * 300);
  EXPECT_FALSE(is_raised("away-7"));
}

TEST_F(Identities, ARevokedAgentHasNoCertificateToLose) {
  be_born();
  dies();
  tells(24h * 3);
  EXPECT_TRUE(is_raised("away-7"));
  tells(24h * 3, "revoked");
  EXPECT_FALSE(is_raised("away-7"));
}

TEST_F(Identities, ARestartDoesNotClearWhatIsNotKnownYet) {
  be_born();
  dies();
  tells(24h * 3);
  restart();
  pass(5s);
  EXPECT_TRUE(is_raised("away-7"));
}

TEST_F(Identities, AnOwnCertificateThatNobodyRenewsIsToldDaysBefore) {
  tells_own({24h * 31});
  EXPECT_FALSE(is_raised("own-30"));
  tells_own({24h * 300, 24h * 29});
  ASSERT_TRUE(is_raised("own-30"));
  EXPECT_THAT(room->alarms(0).at(0).text_en,
              HasSubstr("the broker's certificate runs out in 29 days: no space"));
  EXPECT_THAT(room->alarms(0).at(0).text_zh, HasSubstr("29 天"));
  restart();
  pass(5s);
  EXPECT_TRUE(is_raised("own-30")) << "nobody has looked yet";
  happen(IdentityNews{{}, ""});
  EXPECT_TRUE(is_raised("own-30"));
  tells_own({});
  EXPECT_FALSE(is_raised("own-30"));
}

TEST_F(Identities, TwoAgentsUnderOneNameAreAnAlarmUntilItIsQuiet) {
  is_born_with(1, 100, 7);
  dies();
  is_born_with(2, 0, 0);
  dies();
  is_born_with(1, 101, 8);
  EXPECT_FALSE(is_raised("cloned"));
  dies();
  is_born_with(2, 3, 1);
  ASSERT_TRUE(is_raised("cloned"));
  EXPECT_THAT(room->alarms(0).at(0).text_zh, HasSubstr("吊销"));
  EXPECT_EQ(room->alarms(0).at(0).agent, "room1");
  restart();
  pass(10s);
  EXPECT_TRUE(is_raised("cloned")) << "a restart of the centre proves nothing";
  is_born_with(2, 4, 2);
  pass(14min);
  EXPECT_TRUE(is_raised("cloned"));
  pass(2min);
  EXPECT_FALSE(is_raised("cloned"));
}

TEST_F(Identities, AnAgentThatComesAndGoesIsNoClone) {
  for (int i = 0; i < 50; ++i) {
    is_born_with(1, 100 + i, i);
    dies();
  }
  is_born_with(2, 0, 0);
  EXPECT_FALSE(is_raised("cloned"));
}

TEST_F(Identities, WhoTriesPasswordsIsAnAlarmUntilItIsQuiet) {
  refuses(15);
  EXPECT_FALSE(is_raised("guesses")) << "people mistype";
  refuses(16);
  ASSERT_TRUE(is_raised("guesses"));
  const AlarmView alarm = room->alarms(0).at(0);
  EXPECT_EQ(alarm.site, "");
  for (const auto& text : {alarm.text_en, alarm.text_zh})
    for (const auto part : {"16", "3", "admin", "10.0.0.66"}) EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(alarm.text_en, HasSubstr("audit log"));
  EXPECT_THAT(alarm.text_zh, HasSubstr("审计日志"));
  refuses(5);
  EXPECT_TRUE(is_raised("guesses"));
  refuses(4);
  EXPECT_FALSE(is_raised("guesses"));
}

TEST_F(Identities, ARestartDoesNotClearTheAlarmOfWhoTriesPasswords) {
  refuses(40);
  outside.refused = {};
  restart();
  pass(10s);
  EXPECT_TRUE(is_raised("guesses")) << "nobody has counted for ten minutes yet";
  refuses(0);
  EXPECT_FALSE(is_raised("guesses"));
}

TEST_F(Identities, FilesOfTheBrokerThatCannotBeWrittenAreAnAlarm) {
  tells(24h * 300, "valid", "crl.pem: No space left on device");
  ASSERT_TRUE(is_raised("files"));
  EXPECT_THAT(room->alarms(0).at(0).text_en, HasSubstr("No space left"));
  tells(24h * 300);
  EXPECT_FALSE(is_raised("files"));
}

}  // namespace
}  // namespace watchroom::aggregator
