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

TEST_F(Identities, FilesOfTheBrokerThatCannotBeWrittenAreAnAlarm) {
  tells(24h * 300, "valid", "crl.pem: No space left on device");
  ASSERT_TRUE(is_raised("files"));
  EXPECT_THAT(room->alarms(0).at(0).text_en, HasSubstr("No space left"));
  tells(24h * 300);
  EXPECT_FALSE(is_raised("files"));
}

}  // namespace
}  // namespace watchroom::aggregator
