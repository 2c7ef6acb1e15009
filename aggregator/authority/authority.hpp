// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "aggregator/audit/audit_trail.hpp"
#include "aggregator/authority/enrolment_settings.hpp"
#include "aggregator/authority/issuer.hpp"
#include "aggregator/authority/ledger.hpp"
#include "aggregator/live/agent_identities.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// The house's own certificate authority: who may have a certificate, and until when. Thread-safe. What it
/// answers is on disk by then. `clock` and `trail` must outlive it.
class Authority final : public AgentIdentities {
 public:
  /// The folder holds ca.pem, ca.key and ledger.sqlite; the first call makes them.
  static Result<std::unique_ptr<Authority>> open(const std::filesystem::path& folder,
                                                 const std::string& host_id, EnrolmentSettings settings,
                                                 const Clock& clock, AuditTrail& trail, Log log);

  // AgentIdentities
  Result<std::vector<AgentIdentity>> identities() const override;
  Result<Invitation> invite(const std::string& site, const std::string& agent, std::chrono::hours valid_for,
                            const Asker& by) override;
  Result<AgentIdentity> revoke(const std::string& site, const std::string& agent, const std::string& reason,
                               const Asker& by) override;

  /// A first certificate, for a token. Gives it in DER. Errc::not_authorized: the token is none of ours;
  /// refused: it was, or the request is not its agent's; invalid: the request is none.
  Result<std::string> enrol(std::string_view token, std::string_view request_der, const std::string& from);
  /// The next certificate, for the present one, which TLS has proved to be in the asker's hands.
  Result<std::string> renew(std::string_view certificate_der, std::string_view request_der,
                            const std::string& from);

  /// Which of our agents it is one of; nothing if none or revoked. It may have run out.
  std::optional<std::string> may_renew(std::string_view certificate_der) const;

  /// A certificate and key of the centre's own: its server for enrolment, the broker, its client.
  /// `replaces`: the serial of the one whose place it takes.
  Result<NewIdentity> issue(const CertificatePlan& plan, const std::string& kind,
                            const std::string& replaces = "");

  /// What of this serial or common name is not revoked; one of both is empty.
  Result<std::vector<CertificateRow>> unrevoked(const std::string& serial,
                                                const std::string& common_name) const;
  /// Any certificates of the house. The audit log hears of it from `audit_unseen`.
  Result<void> revoke_certificates(const std::vector<CertificateRow>& certificates,
                                   const std::string& reason);
  /// Revokes all that the certificate in use has replaced.
  Result<void> revoke_replaced_by(std::string_view certificate_der);
  /// Writes into the audit log what the offline commands, or anybody with our key's folder, have done.
  Result<void> audit_unseen();
  /// The audit log knows already that this one was issued.
  Result<void> note_issue_audited(const std::string& serial);

  /// The list of what is revoked, for two years, PEM; newer in its time than each before it.
  struct RevocationList {
    std::string pem;
    std::vector<CertificateRow> revoked;
  };
  Result<RevocationList> make_list();
  Result<std::string> make_revocation_list();
  /// Once the list lies where the broker reads it.
  Result<void> note_listed(const RevocationList& list);
  /// Whether one was revoked that no list has.
  bool is_list_owed() const;
  /// Agents that may publish: enrolled and not revoked.
  Result<std::vector<AgentIdentity>> admitted() const;
  Result<std::vector<std::pair<std::string, std::string>>> uncut() const;
  Result<void> note_cut(const std::string& site, const std::string& agent);
  /// As for agents: other programs, by common name, that have no valid certificate left.
  Result<std::vector<std::string>> uncut_programs() const;
  Result<void> note_program_cut(const std::string& common_name);

  std::string ca_pem() const { return issuer_.certificate_pem(); }
  std::string ca_der() const { return x509::der_of(issuer_.certificate()); }
  const Issuer& issuer() const { return issuer_; }
  const EnrolmentSettings& settings() const { return settings_; }

  /// Called after the set of admitted agents changed, on the thread that changed it.
  void when_changed(std::function<void()> tell) { tell_change_ = std::move(tell); }
  /// Called at each revocation, on the thread that revokes.
  void when_revoked(std::function<void()> tell) { tell_revoked_ = std::move(tell); }

 private:
  Authority(Issuer issuer, Ledger ledger, EnrolmentSettings settings, const Clock& clock, AuditTrail& trail,
            Log log);
  Result<std::string> enrol_checked(std::string_view token, std::string_view request_der, std::string& who);
  Result<std::string> renew_checked(std::string_view certificate_der, std::string_view request_der,
                                    std::string& who);
  Result<x509::Request> request_of(std::string_view der, const std::string& common_name) const;
  Result<std::pair<x509::Certificate, CertificateRow>> certify(X509_REQ& request, const std::string& site,
                                                               const std::string& agent) const;
  void audit(const std::string& who, const std::string& from, const std::string& action,
             const std::string& object, const Result<std::string>& result);

  const Issuer issuer_;
  mutable std::mutex mutex_;
  Ledger ledger_;  // guarded by it
  const EnrolmentSettings settings_;
  const Clock& clock_;
  AuditTrail& trail_;
  const Log log_;
  std::function<void()> tell_change_, tell_revoked_;  // set before there are threads
};

}  // namespace watchroom::aggregator
