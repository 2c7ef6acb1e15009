// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "aggregator/authority/authority.hpp"
#include "proto/trust/signed_order.hpp"

namespace watchroom::aggregator {

/// Signs what agents are to do, with a key that is for nothing else (signing.pem in the authority's folder,
/// 0600). The key is replaced after two thirds of its certificate's year; its first order ends the older ones
/// at each agent. The file is read before each order, so that a key that another process has put there serves
/// at once. Thread-safe. `authority` may be null: then nothing can be signed; it, `clock` and `trail` must
/// outlive it.
class OrderSigner {
 public:
  OrderSigner(Authority* authority, const std::filesystem::path& folder, std::string host_id,
              const Clock& clock, AuditTrail& trail);

  /// What is to be published, in base64. Of `order` the issuer and the times are filled in here.
  Result<std::string> sign(Order order, std::chrono::milliseconds good_for);
  /// Since when the key counts that signs now. Without an authority there is none.
  Result<Timestamp> key_since();
  /// A new key from now on, for one that may have been stolen. The serial of its certificate.
  Result<std::string> renew();

 private:
  struct Signing {
    SigningKey key;
    std::string certificate;  // DER
    Timestamp since{};
    std::string text;  // of the file
  };
  Result<void> load();
  void renew_in_time();
  Result<void> make(const std::string& why);
  Result<void> use(const std::string& text);
  void audit(const std::string& action, Outcome outcome, const std::string& detail);

  Authority* const authority_;
  const std::filesystem::path file_;
  const std::string host_id_;
  const Clock& clock_;
  AuditTrail& trail_;
  std::mutex mutex_;
  std::optional<Signing> signing_;  // under mutex_
  Steady renew_at_{};               // not before; under mutex_
};

}  // namespace watchroom::aggregator
