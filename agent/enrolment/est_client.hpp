// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <vector>

#include "agent/settings/est_address.hpp"
#include "proto/base/result.hpp"
#include "proto/link/peer_judge.hpp"
#include "proto/link/x509.hpp"

namespace watchroom::agent {

/// A client of EST (RFC 7030). Each call is one connection and waits at most half a minute, besides what the
/// resolver takes. Errc::refused and not_authorized carry the centre's own sentence.
class EstClient {
 public:
  /// `time`: by which the centre's own certificate is judged.
  EstClient(EstAddress address, CertificateClock time)
      : address_{std::move(address)}, time_{std::move(time)} {}

  /// /cacerts, from whoever answers: to be compared with what is known of the authority by another way.
  Result<std::vector<x509::Certificate>> authorities_of_a_stranger() const;
  /// /simpleenroll; trusts only what `ca_pem` holds. The certificate, PEM, for the key of the request.
  Result<std::string> enrol(const std::string& ca_pem, const std::string& token,
                            const std::string& request_der) const;
  /// /simplereenroll, as the owner of certificate and key.
  Result<std::string> renew(const std::string& ca_pem, const std::string& certificate_pem,
                            const std::string& key_pem, const std::string& request_der) const;

 private:
  EstAddress address_;
  CertificateClock time_;
};

}  // namespace watchroom::agent
