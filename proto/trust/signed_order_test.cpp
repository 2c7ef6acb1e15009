// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/signed_order.hpp"

#include "proto/trust/test_signer.hpp"

namespace watchroom {
namespace {

using namespace std::chrono_literals;

class SignedOrderTest : public testing::Test {
 protected:
  SignedOrderTest() { signer_.certify("centre"); }

  CertificateTime now() const { return {SystemClock{}.now(), true}; }
  /// Why it is refused; empty when it is taken.
  std::string refusal(std::string_view bytes, CertificateTime time) {
    const auto read = judge_.read(bytes, time);
    return read ? "" : read.error().text;
  }
  std::string refusal(std::string_view bytes) { return refusal(bytes, now()); }

  TestSigner signer_;
  SignatureJudge judge_ = signer_.judge();
  const Order order_ = test_order();
};

TEST_F(SignedOrderTest, IsTakenFromAKeyTheAuthorityHasCertified) {
  const auto read = judge_.read(signer_.sign_as("centre", order_), now());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->order, order_);
  EXPECT_LE(read->key_since, now().now);
  EXPECT_GT(read->key_since, now().now - 5min);
}

TEST_F(SignedOrderTest, NoByteOfItCanBeChanged) {
  const std::string bytes = signer_.sign_as("centre", order_);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    EXPECT_FALSE(judge_.read(changed, now())) << "byte " << i;
  }
  for (std::size_t size = 0; size < bytes.size(); size += 7)
    EXPECT_FALSE(judge_.read(bytes.substr(0, size), now()));
}

TEST_F(SignedOrderTest, ACertificateForTlsSignsNothing) {
  signer_.certify("agent", "-addext keyUsage=digitalSignature -addext extendedKeyUsage=clientAuth");
  signer_.certify("anything", "");
  signer_.certify("sealed", "-addext keyUsage=keyAgreement -addext extendedKeyUsage=codeSigning");
  Order order = order_;
  for (const std::string name : {"agent", "anything", "sealed"}) {
    order.issuer = name;
    EXPECT_NE(refusal(signer_.sign_as(name, order)).find("is not for sign"), std::string::npos) << name;
  }
}

TEST_F(SignedOrderTest, AKeySignsInItsOwnNameOnly) {
  signer_.certify("other");
  EXPECT_EQ(refusal(signer_.sign_as("other", order_)),
            "an order that nobody vouches for: the key is not centre's");
}

TEST_F(SignedOrderTest, AnotherAuthorityVouchesForNothingHere) {
  TestSigner stranger;
  stranger.certify("centre");
  EXPECT_NE(refusal(stranger.sign_as("centre", order_)).find("nobody vouches"), std::string::npos);
}

TEST_F(SignedOrderTest, ASignatureOfOneKeyDoesNotServeUnderAnothersCertificate) {
  signer_.certify("second");
  const auto key = SigningKey::load(signer_.certificates.file("second.key"));
  const auto mixed = sign(order_, *key, content_of(signer_.certificates.file("centre.der")));
  EXPECT_NE(refusal(*mixed).find("the signature is wrong"), std::string::npos);
}

TEST_F(SignedOrderTest, ACertificateServesInItsTimeByTheTimeThatIsGiven) {
  const std::string bytes = signer_.sign_as("centre", order_);
  const Timestamp today = now().now;
  EXPECT_NE(refusal(bytes, {today + 72h, true}).find("has run out"), std::string::npos);
  EXPECT_NE(refusal(bytes, {today + 72h, false}).find("has run out"), std::string::npos);
  EXPECT_NE(refusal(bytes, {today - 24h, true}).find("is not valid yet"), std::string::npos);
  EXPECT_EQ(refusal(bytes, {today - 24h, false}), "");  // a clock that was never set
}

TEST_F(SignedOrderTest, WhatCannotBeReadIsNotSigned) {
  const auto key = SigningKey::load(signer_.certificates.file("centre.key"));
  Order order = order_;
  order.agent = "a/b";
  EXPECT_FALSE(sign(order, *key, content_of(signer_.certificates.file("centre.der"))));
}

TEST_F(SignedOrderTest, AnAuthorityThatCannotBeReadIsNamed) {
  const auto judge = SignatureJudge::load(signer_.folder() / "none.pem");
  ASSERT_FALSE(judge);
  EXPECT_NE(judge.error().text.find("none.pem"), std::string::npos);
}

}  // namespace
}  // namespace watchroom
