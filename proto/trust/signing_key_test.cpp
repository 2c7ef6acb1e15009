// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/signing_key.hpp"

#include <sys/stat.h>

#include "proto/trust/test_signer.hpp"

namespace watchroom {
namespace {

class SigningKeyTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) { return signer_.folder() / name; }
  static bool run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }

  TestSigner signer_;
};

TEST_F(SigningKeyTest, WhatItSignsOpensslVerifies) {
  const auto key = SigningKey::generate();
  ASSERT_TRUE(key);
  const std::string bytes{"close the valve\0now", 19};
  const auto signature = key->sign(bytes);
  ASSERT_TRUE(signature);
  std::ofstream{file("bytes"), std::ios::binary} << bytes;
  std::ofstream{file("signature"), std::ios::binary} << *signature;
  std::ofstream{file("public.pem")} << key->public_pem();
  const std::string verify = "openssl dgst -sha256 -verify " + file("public.pem").string() + " -signature " +
                             file("signature").string() + " " + file("bytes").string();
  EXPECT_TRUE(run(verify));
  std::ofstream{file("bytes"), std::ios::binary} << "open the valve";
  EXPECT_FALSE(run(verify));
}

TEST_F(SigningKeyTest, IsStoredForItsOwnerOnlyAndNeverOverAnother) {
  const auto key = SigningKey::generate();
  ASSERT_TRUE(key->store(file("key.pem")));
  struct stat status {};
  ASSERT_EQ(::stat(file("key.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto again = SigningKey::load(file("key.pem"));
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->public_pem(), key->public_pem());
  EXPECT_FALSE(SigningKey::generate()->store(file("key.pem")));
  EXPECT_EQ(SigningKey::load(file("key.pem"))->public_pem(), key->public_pem());
}

TEST_F(SigningKeyTest, AFileOfNoUseIsNamedWithTheReason) {
  const auto refusal = [&](const std::string& name) { return SigningKey::load(file(name)).error().text; };
  EXPECT_NE(refusal("none.pem").find("No such file"), std::string::npos);
  ASSERT_TRUE(SigningKey::generate()->store(file("open.pem")));
  ::chmod(file("open.pem").c_str(), 0640);
  EXPECT_NE(refusal("open.pem").find("expected mode 0600"), std::string::npos);
  ASSERT_TRUE(run("umask 077; openssl genrsa -out " + file("rsa.pem").string() + " 2048"));
  EXPECT_NE(refusal("rsa.pem").find("expected an EC key on P-256"), std::string::npos) << refusal("rsa.pem");
  ASSERT_TRUE(
      run("umask 077; openssl ecparam -name secp384r1 -genkey -noout -out " + file("p384.pem").string()));
  EXPECT_NE(refusal("p384.pem").find("expected an EC key on P-256"), std::string::npos);
  std::ofstream{file("text.pem")} << "nonsense";
  ::chmod(file("text.pem").c_str(), 0600);
  EXPECT_NE(refusal("text.pem").find("text.pem"), std::string::npos);
}

}  // namespace
}  // namespace watchroom
