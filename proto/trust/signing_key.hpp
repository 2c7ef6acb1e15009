// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "proto/base/result.hpp"

namespace watchroom {

/// A private key for signing, ECDSA on P-256 (FIPS 186-4; curve secp256r1, RFC 5480). Never the key of a TLS
/// identity. Made, kept and used here only; nothing of it is ever logged. One thread at a time.
class SigningKey {
 public:
  static Result<SigningKey> generate();
  /// PEM, without a password; refuses a file that anybody but its owner can read.
  static Result<SigningKey> load(const std::filesystem::path& file);
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  /// Mode 0600; refuses to write over a file that is there.
  Result<void> store(const std::filesystem::path& file) const;
  /// PEM (SubjectPublicKeyInfo), for whoever issues a certificate for it.
  std::string public_pem() const;
  /// Over the SHA-256 of `bytes`; DER (RFC 3279 section 2.2.3).
  Result<std::string> sign(std::string_view bytes) const;

 private:
  struct Inside;
  explicit SigningKey(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace watchroom
