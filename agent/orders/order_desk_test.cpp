// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/order_desk.hpp"

#include "agent/clock/challenges.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/trust/test_signer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

class OrderDeskTest : public testing::Test {
 protected:
  OrderDeskTest() { signer_.certify("centre"); }

  OrderDesk desk() const {
    return {signer_folder_ / "orders", signer_.certificates.file("ca.pem"), "hall1", "cabinet3"};
  }
  std::string order(std::uint64_t number, const std::string& kind = "output") {
    Order order = test_order();
    order.kind = kind;
    order.number = number;
    return signer_.sign_as("centre", order);
  }
  static constexpr const char* not_new =
      "an order of the centre is refused: order 7 is not new: 7 was heard already";
  /// Empty: taken.
  std::string refusal(OrderDesk& desk, std::string_view bytes,
                      CertificateTime time = {SystemClock{}.now(), true}) const {
    const auto taken = desk.take(bytes, time, [this](const Order& one) {
      return challenges_.age_of(one.challenge, one.challenge_age);
    });
    return taken ? "" : taken.error().text;
  }

  TestSigner signer_;
  FakeClock clock_;
  Challenges challenges_{clock_};
  const std::filesystem::path signer_folder_ = signer_.folder();
};

TEST_F(OrderDeskTest, AnOrderIsTakenOnceOverRestarts) {
  const std::string seventh = order(7);
  {
    OrderDesk desk = this->desk();
    EXPECT_EQ(refusal(desk, seventh), "");
    EXPECT_EQ(refusal(desk, seventh), not_new);
  }
  OrderDesk after_restart = desk();
  EXPECT_EQ(refusal(after_restart, seventh), not_new);
  EXPECT_EQ(refusal(after_restart, order(8)), "");
}

TEST_F(OrderDeskTest, AConfigurationThatWaitedIsNotOvertakenByAnOutput) {
  OrderDesk desk = this->desk();
  EXPECT_EQ(refusal(desk, order(9)), "");
  EXPECT_EQ(refusal(desk, order(7, "configuration")), "");
  EXPECT_NE(refusal(desk, order(9)).find("9 was heard already"), std::string::npos);
  EXPECT_EQ(refusal(desk, order(7, "configuration")), not_new);
}

TEST_F(OrderDeskTest, WithoutATimeToRelyOnAConfigurationIsTakenAndAnOrderIsNot) {
  OrderDesk desk = this->desk();
  const CertificateTime unsure{SystemClock{}.now() - 1h, false};
  const std::string why = refusal(desk, order(7), unsure);
  EXPECT_NE(why.find("order 7 of the centre is refused"), std::string::npos) << why;
  EXPECT_NE(why.find("nobody vouches for our clock"), std::string::npos) << why;
  EXPECT_EQ(refusal(desk, order(8, "configuration"), unsure), "");
}

TEST_F(OrderDeskTest, WithoutATimeToRelyOnAnOrderThatAnswersAChallengeIsTakenWhileItIsGood) {
  OrderDesk desk = this->desk();
  const CertificateTime unsure{SystemClock{}.now() - 1h, false};
  Order answer = test_order();
  answer.number = 7;
  answer.challenge = challenges_.fresh();
  clock_.advance(answer.expires - answer.issued + 20s);
  answer.challenge_age = 19s;
  EXPECT_NE(refusal(desk, signer_.sign_as("centre", answer), unsure).find("s old"), std::string::npos);
  answer.challenge_age = 20s;
  EXPECT_EQ(refusal(desk, signer_.sign_as("centre", answer), unsure), "");
  answer.number = 8;
  answer.challenge = "another one";
  EXPECT_NE(refusal(desk, signer_.sign_as("centre", answer), unsure).find("answers no challenge"),
            std::string::npos);
}

TEST_F(OrderDeskTest, WhatIsForgedIsNotRemembered) {
  OrderDesk desk = this->desk();
  std::string forged = order(1'000'000);
  forged.back() = static_cast<char>(forged.back() ^ 1);
  EXPECT_NE(refusal(desk, forged), "");
  EXPECT_EQ(refusal(desk, order(7)), "");
}

TEST_F(OrderDeskTest, WhatCannotBeRememberedIsNotFollowed) {
  OrderDesk desk = this->desk();
  std::filesystem::remove_all(signer_folder_ / "orders");
  std::ofstream{signer_folder_ / "orders"} << "a file where the folder was";
  const std::string seventh = order(7);
  EXPECT_NE(refusal(desk, seventh), "");
  std::filesystem::remove(signer_folder_ / "orders");
  std::filesystem::create_directory(signer_folder_ / "orders");
  EXPECT_EQ(refusal(desk, seventh), "");
}

TEST_F(OrderDeskTest, AMemoryThatIsDamagedIsNotAnEmptyOne) {
  OrderDesk desk = this->desk();
  ASSERT_TRUE(replace_file(signer_folder_ / "orders" / "heard.json", "{\"centre\": {\"number\""));
  EXPECT_NE(refusal(desk, order(7)).find("is damaged"), std::string::npos);
}

TEST_F(OrderDeskTest, AnAuthorityThatWasRenewedCountsAtOnce) {
  OrderDesk desk = this->desk();
  TestSigner other;
  std::filesystem::copy_file(other.certificates.file("ca.pem"), signer_.certificates.file("ca.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_NE(refusal(desk, order(7)).find("nobody vouches"), std::string::npos);
}

}  // namespace
}  // namespace watchroom::agent
