// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"
#include "proto/link/x509.hpp"

namespace watchroom::aggregator {

/// What a certificate is to say.
struct CertificatePlan {
  enum class Use { client, server, signer };  ///< signer: of orders, never of TLS
  std::string common_name;
  Use use = Use::client;
  std::vector<std::string> names = {};  ///< of a server: host names and addresses
  Timestamp not_before{}, not_after{};
};

struct RevokedSerial {
  std::string serial;  ///< hex
  Timestamp at{};
};

/// A certificate with the key that was made for it.
struct NewIdentity {
  x509::Certificate certificate;
  std::string certificate_pem;
  std::string key_pem;
};

/// The certificate authority's own certificate and key (P-256), and what they sign. No files, no clock.
class Issuer {
 public:
  /// Ten years from `now` on.
  static Result<Issuer> make(const std::string& common_name, Timestamp now);
  /// An error unless the key belongs to the certificate and it is one of an authority.
  static Result<Issuer> of_pem(std::string_view certificate, std::string_view key);

  const X509& certificate() const { return *certificate_; }
  std::string certificate_pem() const { return x509::pem_of(*certificate_); }
  Result<std::string> key_pem() const;
  /// Of the certificate in DER, 32 bytes.
  std::string sha256() const { return x509::sha256_of(x509::der_of(*certificate_)); }

  /// With a random serial of 128 bits. Never beyond the authority's own end.
  Result<x509::Certificate> sign(EVP_PKEY& key, const CertificatePlan& plan) const;
  Result<NewIdentity> issue(const CertificatePlan& plan) const;
  bool has_signed(const X509& certificate) const;
  /// A list of revoked certificates, PEM.
  Result<std::string> revocation_list(std::int64_t number, Timestamp from, Timestamp until,
                                      const std::vector<RevokedSerial>& revoked) const;
  /// When such a list of ours ends; nothing when it is none.
  std::optional<Timestamp> end_of_revocation_list(std::string_view pem) const;

 private:
  Issuer(x509::Certificate certificate, x509::Key key)
      : certificate_{std::move(certificate)}, key_{std::move(key)} {}
  x509::Certificate certificate_;
  x509::Key key_;
};

/// The host names and addresses that a server's certificate is for.
std::vector<std::string> names_of(const X509& certificate);

/// A certificate signing request (PKCS#10, DER) whose key is EC P-256 and which that key has signed.
Result<x509::Request> read_request(std::string_view der);

}  // namespace watchroom::aggregator
