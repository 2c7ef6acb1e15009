// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "proto/link/test_certificates.hpp"
#include "proto/trust/signed_order.hpp"

namespace watchroom {

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// For tests: a folder with an authority, and signing keys it has certified.
class TestSigner {
 public:
  TestSigner() : certificates{folder()} {}
  TestSigner(const TestSigner&) = delete;
  TestSigner& operator=(const TestSigner&) = delete;
  ~TestSigner() { std::filesystem::remove_all(folder_); }

  const std::filesystem::path& folder() {
    if (folder_.empty()) {
      std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-trust-XXXXXX").string();
      EXPECT_TRUE(::mkdtemp(pattern.data()));
      folder_ = pattern;
    }
    return folder_;
  }
  /// A key with a certificate of ours, as openssl makes it.
  void certify(const std::string& name, const std::string& extensions = for_signing,
               const std::string& days = "2") {
    certificates.make(name, extensions, days);
    const std::string command = "openssl x509 -in " + certificates.file(name + ".pem") +
                                " -outform DER -out " + certificates.file(name + ".der");
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  std::string sign_as(const std::string& name, const Order& order) {
    const auto key = SigningKey::load(certificates.file(name + ".key"));
    EXPECT_TRUE(key) << key.error().text;
    auto made = sign(order, *key, content_of(certificates.file(name + ".der")));
    EXPECT_TRUE(made) << made.error().text;
    return *std::move(made);
  }
  SignatureJudge judge() const {
    auto judge = SignatureJudge::load(certificates.file("ca.pem"));
    EXPECT_TRUE(judge) << judge.error().text;
    return *std::move(judge);
  }

  static constexpr const char* for_signing =
      "-addext keyUsage=digitalSignature -addext extendedKeyUsage=codeSigning";

 private:
  std::filesystem::path folder_;

 public:
  const TestCertificates certificates;
};

inline Order test_order() {
  const Timestamp now = SystemClock{}.now();
  return {"output",
          "centre",
          "hall1",
          "cabinet3",
          7,
          now,
          now + std::chrono::minutes{1},
          std::string{"\0siren", 6}};
}

}  // namespace watchroom
