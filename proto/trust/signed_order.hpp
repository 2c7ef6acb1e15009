// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "proto/link/tls_context.hpp"
#include "proto/trust/order.hpp"
#include "proto/trust/signing_key.hpp"

namespace watchroom {

/// `certificate`: DER, issued for `key`; it travels along. The signature covers a tag, the certificate's
/// SHA-256 and the order.
Result<std::string> sign(const Order& order, const SigningKey& key, std::string_view certificate);

/// An order whose signature is right, and whose key the house's authority vouches for.
struct Vouched {
  Order order;
  Timestamp key_since{};  ///< since when the certificate of the key serves: which of two keys is the newer
};

/// Who may sign: keys with a certificate of the house's own authority that is for signing (extended key usage
/// codeSigning, RFC 5280 section 4.2.1.12) and for the issuer's name. A TLS certificate of the same authority
/// cannot sign, so a stolen broker or agent cannot give orders. One thread at a time.
class SignatureJudge {
 public:
  /// PEM with one certificate or more.
  static Result<SignatureJudge> load(const std::filesystem::path& authority);
  SignatureJudge(SignatureJudge&&) noexcept;
  SignatureJudge& operator=(SignatureJudge&&) noexcept;
  ~SignatureJudge();

  /// Errors: corrupt for what cannot be read, not_authorized for what is signed by nobody who may.
  Result<Vouched> read(std::string_view signed_order, CertificateTime time) const;

 private:
  struct Inside;
  explicit SignatureJudge(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace watchroom
