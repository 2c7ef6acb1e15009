// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/authority/authority.hpp"
#include "aggregator/live/endangered_certificate.hpp"
#include "proto/link/key_pair_files.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom::aggregator {

enum class RenewalNeed {
  none,
  now,    ///< two thirds of its life are over, or it is of a future that a wrong clock has made
  futile  ///< the authority itself ends: a new one would last no longer
};
/// What a certificate of our own needs. Pure.
RenewalNeed renewal_need(Timestamp since, Timestamp until, Timestamp authority_until, Timestamp now);

/// What the broker shows who connects.
struct ServedCertificate {
  std::string sha256;
  Timestamp until{};
};
/// Asks it, by a TLS handshake and no more. At most some seconds.
Result<ServedCertificate> served_certificate(const BrokerSettings& broker, const Clock& clock);

/// Ends a replacement of the aggregator's own certificate that a power cut has interrupted; before
/// aggregator.toml is judged, for key and certificate may not fit until then.
Result<void> finish_host_replacement(const std::filesystem::path& settings_file);

/// Whether whoever may read the file now may still read one that we put in its place.
bool may_replace(const std::filesystem::path& file);

/// Renews the certificates by which the centre and its broker are known: the aggregator's own for MQTT, and
/// the broker's, where `[enrolment]` says that it lies here. New keys each time. One thread at a time; what
/// is passed in must outlive it.
class OwnCertificates {
 public:
  struct Plan {
    std::string host_id;
    BrokerSettings broker;
    std::function<void()> host_renewed = {};            ///< the broker session is to begin anew
    std::function<Result<void>()> server_renewed = {};  ///< the broker is to read its files anew
    std::function<bool()> is_broker_reading = {};       ///< its files are not to change just now
  };

  OwnCertificates(Plan plan, Authority& authority, const Clock& clock, AuditTrail& trail, Log log);

  /// Renews what is due, asks the broker now and then. What nobody renews, and until when it is good.
  std::vector<EndangeredCertificate> look();
  /// Else an empty answer says nothing of the broker yet.
  bool has_seen_broker() const { return served_.has_value(); }

 private:
  struct Kind {
    std::string name_zh, name_en, object;
    CertificatePlan::Use use;
  };
  struct Attempt {
    Steady at{};
    std::string trouble;
  };
  void look_at_host(std::vector<EndangeredCertificate>& endangered);
  void look_at_server(std::vector<EndangeredCertificate>& endangered);
  struct Why {
    std::string zh, en;
  };
  /// Why nobody renews it; nothing: all is well, or will be.
  std::optional<Why> tend(const Kind& kind, const KeyPairFiles& files, const KeyPair& present,
                          const std::function<Result<void>()>& renewed);
  Result<void> renew(const Kind& kind, const KeyPairFiles& files, const KeyPair& present);
  void ask_broker(const std::string& expected_sha256);
  /// The one that it replaced serves nobody any more.
  void end_replaced_by(const KeyPair& in_use);

  const Plan plan_;
  Authority& authority_;
  const Clock& clock_;
  AuditTrail& trail_;
  const Log log_;
  std::map<std::string, Attempt> failed_;  // by object
  std::string host_in_use_;                // that the broker session begins with
  std::optional<ServedCertificate> served_;
  std::optional<Steady> asked_;
  std::optional<Steady> differs_since_;  // what the broker shows and what the file holds
};

}  // namespace watchroom::aggregator
