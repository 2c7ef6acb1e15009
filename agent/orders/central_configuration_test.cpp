// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/central_configuration.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "agent/orders/order_intake.hpp"
#include "proto/base/base64.hpp"
#include "proto/trust/test_signer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class CentralConfigurationTest : public testing::Test {
 protected:
  CentralConfigurationTest() {
    signer_.certify("centre");
    signer_.certificates.make("cabinet3");
    std::ofstream{file()} << fmt::format(
        "site = \"hall1\"\nagent = \"cabinet3\"\ndata_dir = \"data\"\nprofiles_dir = \"{}\"\n[broker]\n"
        "host = \"127.0.0.1\"\nca_file = \"ca.pem\"\ncertificate_file = \"cabinet3.pem\"\nkey_file = "
        "\"cabinet3.key\"\n",
        WATCHROOM_SOURCE_DIR "/agent/profiles");
    clock_.set_confirmed(true);
    start();
  }

  std::filesystem::path file() { return signer_.folder() / "agent.toml"; }
  /// The program starts; what it runs with.
  std::optional<AgentSettings> start() {
    Problems problems;
    const auto local = AgentSettings::load(file(), problems);
    EXPECT_TRUE(local) << problems.str();
    central_.emplace(file(), *local, clock_, Log::quiet());
    intake_.emplace(OrderDesk{local->data_dir / "orders", local->broker.ca_file, local->site, local->agent},
                    clock_, challenges_);
    return central_->begin();
  }
  std::string order(std::uint64_t number, const std::string& text,
                    const std::string& kind = "configuration") {
    const Timestamp now = SystemClock{}.now();
    return to_base64(
        signer_.sign_as("centre", {kind, "centre", "hall1", "cabinet3", number, now, now + 24h, text}));
  }
  std::optional<AgentSettings> take(const std::string& text) {
    auto order = intake_->take(text);
    return order ? central_->follow({order->number, std::move(order->body)}) : std::nullopt;
  }
  static std::string sensor(const std::string& id) {
    return fmt::format(
        "[[device]]\nid = \"{}\"\nname = \"{}\"\nprofile = \"renke_rs_ws_n01\"\nclass = \"core\"\naddress = "
        "\"modbus-tcp://127.0.0.1:1502?unit=1\"\n",
        id, id);
  }
  static std::vector<std::string> ids(const std::optional<AgentSettings>& settings) {
    std::vector<std::string> found;
    if (settings)
      for (const ConfiguredDevice& device : settings->devices) found.push_back(device.description.id);
    return found;
  }
  std::string told() {
    std::string all;
    for (const std::string& text : intake_->take_told()) all += text + "\n";
    for (const std::string& text : central_->take_told()) all += text + "\n";
    return all;
  }

  TestSigner signer_;
  SystemClock machine_;
  AgentClock clock_{machine_};
  Challenges challenges_{machine_};
  std::optional<CentralConfiguration> central_;
  std::optional<OrderIntake> intake_;
};

TEST_F(CentralConfigurationTest, IsFollowedTriedOutAndKeptOnceTheCentreWasHeard) {
  EXPECT_THAT(ids(take(order(5, sensor("th1")))), ElementsAre("th1"));
  EXPECT_EQ(central_->report().state, ConfigurationState::on_trial);
  EXPECT_FALSE(central_->look(std::nullopt));
  EXPECT_TRUE(central_->is_on_trial());
  EXPECT_FALSE(central_->look(clock_.steady() + 1s));
  EXPECT_EQ(central_->report().state, ConfigurationState::good);
  EXPECT_THAT(told(), HasSubstr("configuration 5 of the centre has proved itself"));
  EXPECT_THAT(ids(start()), ElementsAre("th1"));
}

TEST_F(CentralConfigurationTest, WhatIsWrongWithItIsToldAndNothingChanges) {
  take(order(5, sensor("th1")));
  central_->look(clock_.steady() + 1s);
  told();
  EXPECT_FALSE(take(order(6, sensor("th1") + "[[device]]\nid = \"th2\"\nprofile = \"no_such_model\"\n")));
  const std::string problems = told();
  EXPECT_THAT(problems, HasSubstr("configuration 6 of the centre is refused"));
  EXPECT_THAT(problems, HasSubstr("configuration 6:"));
  EXPECT_THAT(problems, HasSubstr("device[1].profile: \"no_such_model\" is not known"));
  EXPECT_THAT(problems, HasSubstr("device[1].address"));
  EXPECT_EQ(central_->report().state, ConfigurationState::refused);
  EXPECT_EQ(central_->report().running, 5u);
  EXPECT_THAT(ids(start()), ElementsAre("th1"));
}

TEST_F(CentralConfigurationTest, TheCentreCannotMoveAnAgentNorReadItsFiles) {
  for (const char* text : {"site = \"elsewhere\"\n", "data_dir = \"/tmp\"\n", "[broker]\nhost = \"evil\"\n",
                           "[snmp_traps]\ncommunity_file = \"/etc/shadow\"\n",
                           "[snmp_traps]\ncommunity_file = \"../secret\"\n", "[[device]\n"}) {
    static std::uint64_t number = 10;
    EXPECT_FALSE(take(order(++number, text))) << text;
    EXPECT_THAT(told(), HasSubstr("is refused")) << text;
  }
  EXPECT_EQ(central_->report().running, 0u);
}

TEST_F(CentralConfigurationTest, NobodyElseCanGiveOneAndNoneIsGivenTwice) {
  const std::string fifth = order(5, sensor("th1"));
  ASSERT_TRUE(take(fifth));
  told();
  EXPECT_FALSE(take(fifth));
  EXPECT_THAT(told(), HasSubstr("5 was heard already"));
  TestSigner stranger;
  stranger.certify("centre");
  const Timestamp now = SystemClock{}.now();
  EXPECT_FALSE(take(to_base64(stranger.sign_as(
      "centre", {"configuration", "centre", "hall1", "cabinet3", 9, now, now + 24h, sensor("th9")}))));
  EXPECT_THAT(told(), HasSubstr("nobody vouches"));
  EXPECT_FALSE(take("no base64!"));
  EXPECT_THAT(told(), HasSubstr("is refused"));
  EXPECT_EQ(central_->report().running, 5u);
}

TEST_F(CentralConfigurationTest, ASirenIsNotTakenAwayByLeavingItOut) {
  const std::string relays =
      "[[device]]\nid = \"io\"\nname = \"io\"\nprofile = \"waveshare_modbus_rtu_io_8ch\"\nclass = \"core\"\n"
      "address = \"modbus-tcp://127.0.0.1:1502?unit=6\"\n";
  std::ofstream{file(), std::ios::app}
      << relays
      << "[[output]]\nname = \"siren\"\ndevice = \"io\"\npoint = \"relay[1].state\"\n"
         "at_start = \"keep\"\non_agent_death = \"keep\"\non_link_loss = \"keep\"\n";
  start();
  EXPECT_FALSE(take(order(5, sensor("th1"))));
  EXPECT_THAT(told(), HasSubstr("output[0].device"));
  const auto followed = take(order(6, sensor("th1") + relays));
  ASSERT_TRUE(followed) << told();
  ASSERT_EQ(followed->judge.outputs.size(), 1u);
}

TEST_F(CentralConfigurationTest, AFloodOfForgedOrdersIsToldTenTimesAMinute) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(take("no base64!"));
  const auto told = intake_->take_told();
  ASSERT_EQ(told.size(), 10u);
  EXPECT_THAT(told.back(), HasSubstr("are not told"));
  EXPECT_THAT(ids(take(order(5, sensor("th1")))),
              ElementsAre("th1"));  // a genuine one gets through
}

TEST_F(CentralConfigurationTest, OneThatWorksNoMoreAfterARestartGivesWayToTheLocalFile) {
  take(order(5, sensor("th1")));
  central_->look(clock_.steady() + 1s);
  std::ofstream{signer_.folder() / "data" / "configuration" / "5.toml"} << "[[device]]\nid = 7\n";
  EXPECT_THAT(ids(start()), ElementsAre());
  EXPECT_THAT(told(), HasSubstr("falls back to agent.toml"));
  EXPECT_EQ(central_->report().state, ConfigurationState::fallen_back);
}

TEST_F(CentralConfigurationTest, OneThatIsBegunInVainThreeTimesIsGivenUpAndTold) {
  take(order(5, sensor("th1")));
  central_->look(clock_.steady() + 1s);
  ASSERT_THAT(ids(take(order(6, sensor("th2")))), ElementsAre("th2"));
  for (int starts = 2; starts <= ConfigurationKeeper::most_starts; ++starts)
    EXPECT_THAT(ids(start()), ElementsAre("th2")) << starts;
  told();
  EXPECT_THAT(ids(start()), ElementsAre("th1"));
  EXPECT_THAT(told(), HasSubstr("configuration 6 of the centre was begun 3 times"));
  EXPECT_EQ(central_->report().state, ConfigurationState::fallen_back);
  EXPECT_EQ(central_->report().running, 5u);
}

TEST_F(CentralConfigurationTest, WhenTheLocalFileIsReadAnewTheCentresDevicesStay) {
  take(order(5, sensor("th1")));
  Problems problems;
  EXPECT_THAT(ids(central_->read_anew(problems)), ElementsAre("th1"));
  std::ofstream{file(), std::ios::app} << "[classes.core]\npoll_interval_ms = \"soon\"\n";
  EXPECT_FALSE(central_->read_anew(problems));
  EXPECT_THAT(problems.str(), HasSubstr("classes.core.poll_interval_ms"));
}

}  // namespace
}  // namespace watchroom::agent
