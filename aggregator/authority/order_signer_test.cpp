// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/order_signer.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "aggregator/authority/tested_authority.hpp"
#include "proto/base/base64.hpp"
#include "proto/trust/freshness.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class OrderSignerTest : public TestedAuthority {
 protected:
  OrderSigner signer() { return {authority.get(), folder / "authority", "watchroom", clock, trail}; }
  Order order(std::uint64_t number) const {
    Order order;
    order.kind = "configuration";
    order.site = "hq";
    order.agent = "room1";
    order.number = number;
    order.body = "# nothing\n";
    return order;
  }
  /// As an agent reads it that knows the authority only.
  Result<Vouched> read(const std::string& text) {
    const auto judge = SignatureJudge::load(folder / "authority" / "ca.pem");
    EXPECT_TRUE(judge) << judge.error().text;
    return judge->read(*from_base64(text), {clock.now(), true});
  }
};

TEST_F(OrderSignerTest, AnAgentThatKnowsTheAuthorityTakesWhatItSigns) {
  OrderSigner signer = this->signer();
  const auto text = signer.sign(order(5), 1h);
  ASSERT_TRUE(text) << text.error().text;
  const auto vouched = read(*text);
  ASSERT_TRUE(vouched) << vouched.error().text;
  EXPECT_EQ(vouched->order.issuer, "watchroom");
  EXPECT_EQ(vouched->order.expires, clock.now() + 1h);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "authority" / "signing.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(OrderSignerTest, TheKeyOutlivesARestartAndANewOneEndsIt) {
  const auto first = read(*signer().sign(order(5), 1h));
  clock.advance(24h);
  const auto second = read(*signer().sign(order(6), 1h));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->key_since, second->key_since);
  OrderSigner signer = this->signer();
  ASSERT_TRUE(signer.renew());
  const auto third = read(*signer.sign(order(7), 1h));
  ASSERT_TRUE(third);
  EXPECT_GT(third->key_since, second->key_since);
  const auto heard = check_freshness(*third, {}, "hq", "room1", {clock.now(), true}, Timeliness::may_wait);
  ASSERT_TRUE(heard);
  Vouched stolen = *second;
  stolen.order.number = 100;
  EXPECT_FALSE(check_freshness(stolen, *heard, "hq", "room1", {clock.now(), true}, Timeliness::may_wait));
}

TEST_F(OrderSignerTest, AKeyIsReplacedLongBeforeItsCertificateRunsOut) {
  OrderSigner signer = this->signer();
  const auto before = read(*signer.sign(order(5), 1h));
  clock.advance(24h * 244);
  const auto after = read(*signer.sign(order(6), 1h));
  ASSERT_TRUE(before && after);
  EXPECT_GT(after->key_since, before->key_since);
  EXPECT_EQ(trail.last("signing.renew").outcome, Outcome::done);
}

TEST_F(OrderSignerTest, WhileTheDiskTakesNoNewKeyTheOldOneSigns) {
  OrderSigner signer = this->signer();
  const auto before = read(*signer.sign(order(5), 1h));
  clock.advance(24h * 244);
  // What is written first cannot be made there.
  const auto obstacle = folder / "authority" / fmt::format("signing.pem.new-{}", ::getpid());
  std::filesystem::create_directory(obstacle);
  const auto signed_by_old = signer.sign(order(6), 1h);
  ASSERT_TRUE(signed_by_old) << signed_by_old.error().text;
  const auto meanwhile = read(*signed_by_old);
  ASSERT_TRUE(before && meanwhile);
  EXPECT_EQ(meanwhile->key_since, before->key_since);
  EXPECT_EQ(trail.last("signing.renew").outcome, Outcome::failed);
  std::filesystem::remove(obstacle);
  clock.advance(1h);
  const auto after = read(*signer.sign(order(7), 1h));
  ASSERT_TRUE(after);
  EXPECT_GT(after->key_since, before->key_since);
}

TEST_F(OrderSignerTest, AClockOf2040MakesNoKeyThatNobodyWouldObey) {
  OrderSigner signer = this->signer();
  const auto before = signer.key_since();
  ASSERT_TRUE(before) << before.error().text;
  clock.jump_wall(24h * 365 * 14);
  EXPECT_TRUE(signer.sign(order(5), 1h));
  clock.jump_wall(-24h * 365 * 14);
  EXPECT_EQ(*signer.key_since(), *before);
  const auto vouched = read(*signer.sign(order(6), 1h));
  EXPECT_TRUE(vouched) << vouched.error().text;
}

TEST_F(OrderSignerTest, AKeyThatAnotherProcessHasRotatedSignsTheNextOrderAndEndsTheOld) {
  OrderSigner running = this->signer();
  const auto stolen = read(*running.sign(order(5), 1h));
  ASSERT_TRUE(stolen);
  EXPECT_NE(trail.last("signing.renew").detail.find("serial"), std::string::npos);
  // As the offline command does it, within the same second; and once more.
  OrderSigner offline = this->signer();
  ASSERT_TRUE(offline.renew());
  const auto serial = offline.renew();
  ASSERT_TRUE(serial) << serial.error().text;
  const auto next = read(*running.sign(order(6), 1h));
  ASSERT_TRUE(next) << next.error().text;
  EXPECT_GT(next->key_since, stolen->key_since);
  EXPECT_NE(trail.last("signing.renew").detail.find(*serial), std::string::npos);
  EXPECT_NE(trail.last("signing.renew").detail.find("rotate"), std::string::npos);

  const auto heard = check_freshness(*next, {5, stolen->key_since}, "hq", "room1", {clock.now(), true},
                                     Timeliness::must_be_timely);
  ASSERT_TRUE(heard) << heard.error().text;
  Vouched forged = *stolen;
  forged.order.number = 7;
  const auto refused =
      check_freshness(forged, *heard, "hq", "room1", {clock.now(), true}, Timeliness::must_be_timely);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("which a newer one"), std::string::npos) << refused.error().text;
}

TEST_F(OrderSignerTest, WhichKeyIsUsedAfterAStartIsInTheAudit) {
  ASSERT_TRUE(signer().sign(order(5), 1h));
  const auto serial = signer().renew();
  ASSERT_TRUE(serial);
  ASSERT_TRUE(signer().sign(order(6), 1h));
  EXPECT_NE(trail.last("signing.load").detail.find(*serial), std::string::npos);
}

TEST_F(OrderSignerTest, AKeyOfTheFutureIsNotReplacedByOneThatWouldBeTheOlder) {
  clock.advance(24h * 30);
  ASSERT_TRUE(signer().sign(order(5), 1h));
  clock.advance(-24h * 30);
  const auto refused = signer().renew();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("clock"), std::string::npos) << refused.error().text;
  EXPECT_EQ(trail.last("signing.renew").outcome, Outcome::failed);
  // The clock was wrong then and is right now: the way out is named, and works.
  EXPECT_NE(refused.error().text.find("remove"), std::string::npos) << refused.error().text;
  std::filesystem::remove(folder / "authority" / "signing.pem");
  OrderSigner signer = this->signer();
  ASSERT_TRUE(signer.renew());
  EXPECT_TRUE(read(*signer.sign(order(6), 1h)));
}

TEST_F(OrderSignerTest, SinceWhenItsKeyCountsIsWhatAgentsHearAlsoOfOneThatAnotherProcessHasRotated) {
  OrderSigner running = this->signer();
  const auto before = running.key_since();
  ASSERT_TRUE(before) << before.error().text;
  ASSERT_TRUE(signer().renew());
  const auto after = running.key_since();
  ASSERT_TRUE(after) << after.error().text;
  EXPECT_GT(*after, *before);
  EXPECT_EQ(read(*running.sign(order(5), 1h))->key_since, *after);
}

TEST_F(OrderSignerTest, WithoutAnAuthorityNothingIsSignedAndThatIsSaid) {
  OrderSigner signer{nullptr, folder, "watchroom", clock, trail};
  const auto refused = signer.sign(order(5), 1h);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("[enrolment]"), std::string::npos);
}

}  // namespace
}  // namespace watchroom::aggregator
