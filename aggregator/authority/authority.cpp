// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/authority.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include "aggregator/identity/secret.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/link/enrolment_token.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

// For clocks that are behind ours: the broker's, an agent's.
constexpr auto most_backdated = 5min;
constexpr auto list_life = 24h * 730;
// Lists of one second would be taken for the same: each begins later than the one before, all in the past.
constexpr auto list_backdated = 1h;
constexpr std::size_t longest_reason = 500;

std::optional<std::string> text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

Result<Issuer> make_issuer(const std::filesystem::path& folder, const std::string& host_id, Timestamp now) {
  auto made = Issuer::make("Watchroom " + host_id, now);
  if (!made) return made;
  auto key = made->key_pem();
  if (!key) return key.error();
  // The certificate last: as long as there is none, nobody trusts the key.
  if (auto written = replace_file(folder / "ca.key", *key); !written) return written.error();
  if (auto written = replace_file(folder / "ca.pem", made->certificate_pem()); !written)
    return written.error();
  return made;
}

Result<Issuer> open_issuer(const std::filesystem::path& folder, const std::string& host_id, Timestamp now) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return fail(Errc::io, Retry::never, "{}: {}", folder.string(), error.message());
  // Two programs at their first start must not make two authorities.
  const auto turn = FolderLock::take(folder);
  if (!turn) return turn.error();
  const auto certificate = text_of(folder / "ca.pem");
  if (!certificate) {
    if (std::filesystem::exists(folder / "ledger.sqlite", error))
      return fail(Errc::not_found, Retry::never,
                  "{}: the authority's certificate is gone, though it has signed; put it back from a backup",
                  (folder / "ca.pem").string());
    return make_issuer(folder, host_id, now);
  }
  auto issuer = Issuer::of_pem(*certificate, text_of(folder / "ca.key").value_or(""));
  if (!issuer) return in(issuer.error(), (folder / "ca.pem").string());
  return issuer;
}

CertificateRow row_of(const X509& certificate, const CertificatePlan& plan, const std::string& kind,
                      Timestamp now) {
  return {x509::serial_of(certificate),
          to_hex(x509::sha256_of(x509::der_of(certificate))),
          kind,
          plan.common_name,
          "",
          "",
          plan.not_before,
          plan.not_after,
          now};
}

/// Of one agent, from all its certificates, oldest first.
AgentIdentity identity_of(const std::vector<CertificateRow>& rows, Timestamp now) {
  const CertificateRow* newest = nullptr;
  for (const CertificateRow& row : rows)
    if (!newest || !row.revoked_at || newest->revoked_at) newest = &row;
  AgentIdentity identity{newest->site, newest->agent, newest->common_name,
                         newest->revoked_at        ? "revoked"
                         : newest->not_after < now ? "expired"
                                                   : "valid",
                         newest->serial};
  identity.valid_until = newest->not_after;
  identity.revoked_at = newest->revoked_at;
  identity.reason = newest->reason;
  return identity;
}

Result<void> check_place(const std::string& site, const std::string& agent) {
  if (!is_valid_id(site) || !is_valid_id(agent))
    return fail(Errc::invalid, Retry::never, "site and agent have 1 to 64 of A-Z a-z 0-9 _ - each");
  if (agent_common_name(site, agent).size() > longest_common_name)
    return fail(Errc::invalid, Retry::never,
                "site and agent together are too long for a certificate: at most {} characters",
                longest_common_name - 1);
  return {};
}

}  // namespace

Authority::Authority(Issuer issuer, Ledger ledger, EnrolmentSettings settings, const Clock& clock,
                     AuditTrail& trail, Log log)
    : issuer_{std::move(issuer)},
      ledger_{std::move(ledger)},
      settings_{std::move(settings)},
      clock_{clock},
      trail_{trail},
      log_{std::move(log)} {}

Result<std::unique_ptr<Authority>> Authority::open(const std::filesystem::path& folder,
                                                   const std::string& host_id, EnrolmentSettings settings,
                                                   const Clock& clock, AuditTrail& trail, Log log) {
  auto issuer = open_issuer(folder, host_id, clock.now());
  if (!issuer) return issuer.error();
  auto ledger = Ledger::open(folder / "ledger.sqlite");
  if (!ledger) return ledger.error();
  return std::unique_ptr<Authority>{new Authority{*std::move(issuer), *std::move(ledger), std::move(settings),
                                                  clock, trail, std::move(log)}};
}

Result<std::vector<AgentIdentity>> Authority::identities() const {
  const Timestamp now = clock_.now();
  const std::lock_guard lock{mutex_};
  const auto rows = ledger_.agents();
  if (!rows) return rows.error();
  std::map<std::pair<std::string, std::string>, std::vector<CertificateRow>> by_agent;
  for (const CertificateRow& row : *rows) by_agent[{row.site, row.agent}].push_back(row);
  std::map<std::pair<std::string, std::string>, AgentIdentity> found;
  for (const auto& [place, all] : by_agent) found.emplace(place, identity_of(all, now));
  for (const TokenRow& token : ledger_.open_tokens(now)) {
    AgentIdentity& identity =
        found
            .try_emplace({token.site, token.agent},
                         AgentIdentity{token.site, token.agent, agent_common_name(token.site, token.agent),
                                       "invited", ""})
            .first->second;
    identity.invited_until = token.expires_at;
  }
  std::vector<AgentIdentity> all;
  for (auto& [place, identity] : found) all.push_back(std::move(identity));
  return all;
}

Result<std::vector<AgentIdentity>> Authority::admitted() const {
  auto all = identities();
  if (!all) return all;
  std::erase_if(*all,
                [](const AgentIdentity& one) { return one.state != "valid" && one.state != "expired"; });
  return all;
}

Result<Invitation> Authority::invite(const std::string& site, const std::string& agent,
                                     std::chrono::hours valid_for, const Asker& by) {
  if (auto checked = check_place(site, agent); !checked) return checked.error();
  const Timestamp now = clock_.now();
  const std::string secret = random_bytes(32);
  const TokenRow row{sha256_hex(secret), site, agent, by.name, now, now + valid_for};
  {
    const std::lock_guard lock{mutex_};
    if (auto added = ledger_.add(row); !added) return added.error();
  }
  trail_.record({by.name, by.address, "agent.invite", site + "/" + agent, Outcome::done,
                 fmt::format("token good until {}", to_rfc3339(row.expires_at))});
  const std::string& name = settings_.names.front();
  const bool is_v6 = name.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + name + "]" : name;
  return Invitation{site, agent, EnrolmentToken{issuer_.sha256(), secret}.str(),
                    fmt::format("https://{}:{}", host, settings_.listen_port), row.expires_at};
}

Result<AgentIdentity> Authority::revoke(const std::string& site, const std::string& agent,
                                        const std::string& reason, const Asker& by) {
  if (reason.empty() || reason.size() > longest_reason)
    return fail(Errc::invalid, Retry::never, "a reason of 1 to {} bytes is needed", longest_reason);
  const std::string place = site + "/" + agent;
  int count = 0;
  {
    const std::lock_guard lock{mutex_};
    const auto tokens = ledger_.open_tokens(clock_.now());
    const bool is_invited = std::any_of(tokens.begin(), tokens.end(), [&](const TokenRow& token) {
      return token.site == site && token.agent == agent;
    });
    const auto revoked = ledger_.revoke(site, agent, reason, clock_.now());
    if (!revoked) return revoked.error();
    count = *revoked;
    if (count == 0 && !is_invited)
      return fail(Errc::not_found, Retry::never, "{} has no certificate and no token that could be revoked",
                  place);
  }
  trail_.record({by.name, by.address, "agent.revoke", place, Outcome::done, reason});
  log_.warning("{} was revoked by {}: {}", place, by.name, reason);
  if (count > 0 && tell_revoked_) tell_revoked_();
  const auto all = identities();
  if (!all) return all.error();
  for (const AgentIdentity& one : *all)
    if (one.site == site && one.agent == agent) return one;
  AgentIdentity withdrawn{site, agent, agent_common_name(site, agent), "revoked", ""};
  withdrawn.reason = reason;
  return withdrawn;
}

Result<std::string> Authority::enrol(std::string_view token, std::string_view request_der,
                                     const std::string& from) {
  std::string who = "unknown";
  auto result = enrol_checked(token, request_der, who);
  audit(who, from, "agent.enrol", who, result);
  if (result && tell_change_) tell_change_();
  return result;
}

Result<std::string> Authority::renew(std::string_view certificate_der, std::string_view request_der,
                                     const std::string& from) {
  std::string who = "unknown";
  auto result = renew_checked(certificate_der, request_der, who);
  audit(who, from, "agent.renew", who, result);
  return result;
}

Result<std::string> Authority::enrol_checked(std::string_view text, std::string_view request_der,
                                             std::string& who) {
  const auto token = EnrolmentToken::parse(text);
  if (!token) return fail(Errc::not_authorized, Retry::never, "this is no enrolment token");
  if (token->ca_sha256 != issuer_.sha256())
    return fail(Errc::not_authorized, Retry::never, "the token is one of another authority");
  const std::string secret_sha256 = sha256_hex(token->secret);
  const std::lock_guard lock{mutex_};
  const auto row = ledger_.find_token(secret_sha256);
  if (!row) return row.error();
  if (!*row) return fail(Errc::not_authorized, Retry::never, "the token is not known here");
  const TokenRow& found = **row;
  who = found.site + "/" + found.agent;
  if (found.used_at)
    return fail(Errc::refused, Retry::never, "the token was used or withdrawn on {}; ask for a new one",
                to_rfc3339(*found.used_at));
  if (found.expires_at <= clock_.now())
    return fail(Errc::refused, Retry::never, "the token ran out on {}; ask for a new one",
                to_rfc3339(found.expires_at));
  auto request = request_of(request_der, agent_common_name(found.site, found.agent));
  if (!request) return request.error();
  auto made = certify(**request, found.site, found.agent);
  if (!made) return made.error();
  if (auto added = ledger_.add_for_token(made->second, secret_sha256); !added)
    return added.error().code == Errc::conflict ? fail(Errc::refused, Retry::never, "{}", added.error().text)
                                                : added.error();
  return x509::der_of(*made->first);
}

Result<std::string> Authority::renew_checked(std::string_view certificate_der, std::string_view request_der,
                                             std::string& who) {
  const auto present = x509::certificate_of_der(certificate_der);
  if (!present || !issuer_.has_signed(*present))
    return fail(Errc::refused, Retry::never, "the certificate shown is not one of this authority");
  const std::string shown_sha256 = to_hex(x509::sha256_of(certificate_der));
  const std::lock_guard lock{mutex_};
  const auto row = ledger_.find_certificate(shown_sha256);
  if (!row) return row.error();
  if (!*row || (*row)->kind != "agent")
    return fail(Errc::refused, Retry::never, "the certificate shown is no agent's on record here");
  const CertificateRow& shown = **row;
  who = shown.site + "/" + shown.agent;
  if (shown.revoked_at)
    return fail(Errc::refused, Retry::never, "the certificate was revoked on {}; enrol anew with a token",
                to_rfc3339(*shown.revoked_at));
  if (shown.not_after + settings_.late_renewal < clock_.now())
    return fail(Errc::refused, Retry::never,
                "the certificate ran out on {}, too long ago; enrol anew with a token",
                to_rfc3339(shown.not_after));
  auto request = request_of(request_der, shown.common_name);
  if (!request) return request.error();
  auto made = certify(**request, shown.site, shown.agent);
  if (!made) return made.error();
  if (auto added = ledger_.add_for_certificate(made->second, shown_sha256); !added)
    return added.error().code == Errc::conflict ? fail(Errc::refused, Retry::never, "{}", added.error().text)
                                                : added.error();
  return x509::der_of(*made->first);
}

std::optional<std::string> Authority::may_renew(std::string_view certificate_der) const {
  const auto shown = x509::certificate_of_der(certificate_der);
  if (!shown || !issuer_.has_signed(*shown)) return std::nullopt;
  const std::lock_guard lock{mutex_};
  const auto row = ledger_.find_certificate(to_hex(x509::sha256_of(certificate_der)));
  if (!row || !*row || (*row)->kind != "agent" || (*row)->revoked_at) return std::nullopt;
  return (*row)->site + "/" + (*row)->agent;
}

Result<x509::Request> Authority::request_of(std::string_view der, const std::string& common_name) const {
  auto request = read_request(der);
  if (!request) return request;
  if (x509::common_name_of(*X509_REQ_get_subject_name(request->get())) != common_name)
    return fail(Errc::refused, Retry::never, "the request must be for the common name \"{}\"", common_name);
  return request;
}

Result<std::pair<x509::Certificate, CertificateRow>> Authority::certify(X509_REQ& request,
                                                                        const std::string& site,
                                                                        const std::string& agent) const {
  const Timestamp now = clock_.now();
  CertificatePlan plan;
  plan.common_name = agent_common_name(site, agent);
  plan.not_before =
      now - std::min<std::chrono::milliseconds>(most_backdated, settings_.certificate_life / 10);
  plan.not_after = now + settings_.certificate_life;
  auto made = issuer_.sign(*X509_REQ_get0_pubkey(&request), plan);
  if (!made) return made.error();
  CertificateRow row = row_of(**made, plan, "agent", now);
  row.site = site;
  row.agent = agent;
  return std::pair{*std::move(made), std::move(row)};
}

void Authority::audit(const std::string& who, const std::string& from, const std::string& action,
                      const std::string& object, const Result<std::string>& result) {
  AuditEvent event{"agent " + who, from, action, object, Outcome::done, ""};
  if (result) {
    const auto certificate = x509::certificate_of_der(*result);
    event.detail = "serial " + x509::serial_of(*certificate);
    log_.info("{} from {} was certified ({}), {}", who, from, action, event.detail);
  } else {
    event.outcome = result.error().code == Errc::io ? Outcome::failed : Outcome::refused;
    event.detail = result.error().text;
    log_.warning("{} from {} was not certified ({}): {}", who, from, action, event.detail);
  }
  trail_.record(std::move(event));
}

Result<NewIdentity> Authority::issue(const CertificatePlan& plan, const std::string& kind,
                                     const std::string& replaces) {
  auto made = issuer_.issue(plan);
  if (!made) return made;
  CertificateRow row = row_of(*made->certificate, plan, kind, clock_.now());
  row.replaces = replaces;
  const std::lock_guard lock{mutex_};
  if (auto added = ledger_.add(row); !added) return added.error();
  return made;
}

Result<std::vector<CertificateRow>> Authority::unrevoked(const std::string& serial,
                                                         const std::string& common_name) const {
  const std::lock_guard lock{mutex_};
  return ledger_.unrevoked(serial, common_name);
}

Result<void> Authority::revoke_certificates(const std::vector<CertificateRow>& certificates,
                                            const std::string& reason) {
  if (reason.empty() || reason.size() > longest_reason)
    return fail(Errc::invalid, Retry::never, "a reason of 1 to {} bytes is needed", longest_reason);
  const std::lock_guard lock{mutex_};
  return ledger_.revoke(certificates, reason, clock_.now());
}

Result<void> Authority::revoke_replaced_by(std::string_view certificate_der) {
  const std::lock_guard lock{mutex_};
  auto at = ledger_.find_certificate(to_hex(x509::sha256_of(certificate_der)));
  if (!at) return at.error();
  // One that is void itself takes nobody's place.
  if (!*at || (*at)->revoked_at) return {};
  const std::string reason = "superseded by " + (*at)->serial;
  std::vector<CertificateRow> replaced;
  while (!(*at)->replaces.empty()) {
    at = ledger_.with_serial((*at)->replaces);
    if (!at) return at.error();
    if (!*at || (*at)->revoked_at) break;  // what that one replaced went before it
    replaced.push_back(**at);
  }
  if (replaced.empty()) return {};
  for (const CertificateRow& one : replaced) log_.info("{} {} is revoked: {}", one.kind, one.serial, reason);
  return ledger_.revoke(replaced, reason, clock_.now());
}

Result<void> Authority::audit_unseen() {
  const std::lock_guard lock{mutex_};
  const auto unseen = ledger_.unaudited();
  if (!unseen) return unseen.error();
  if (!unseen->is_start && unseen->issued.empty() && unseen->revoked.empty()) return {};
  const auto tell = [this](const char* action, std::string object, std::string detail) {
    trail_.record({"system", "", action, std::move(object), Outcome::done, std::move(detail)});
  };
  if (unseen->is_start) tell("authority.init", "authority", "SHA-256 " + to_hex(issuer_.sha256()));
  for (const CertificateRow& one : unseen->issued)
    tell("certificate.issue", one.kind + " " + one.common_name,
         fmt::format("serial {}, issued {}, good until {}", one.serial, to_rfc3339(one.issued_at),
                     to_rfc3339(one.not_after)));
  for (const CertificateRow& one : unseen->revoked)
    tell("certificate.revoke", one.kind + " " + one.common_name,
         fmt::format("serial {}, revoked {}: {}", one.serial, to_rfc3339(*one.revoked_at), one.reason));
  // Rather twice in the log than never.
  return ledger_.note_audited(*unseen);
}

Result<void> Authority::note_issue_audited(const std::string& serial) {
  const std::lock_guard lock{mutex_};
  const auto issued = ledger_.with_serial(serial);
  if (!issued) return issued.error();
  if (!*issued) return fail(Errc::not_found, Retry::never, "no certificate {} on record", serial);
  Ledger::Unaudited told;
  told.issued.push_back(**issued);
  return ledger_.note_audited(told);
}

bool Authority::is_list_owed() const {
  const std::lock_guard lock{mutex_};
  const auto owed = ledger_.has_unlisted();
  return owed && *owed;
}

Result<void> Authority::note_listed(const RevocationList& list) {
  const std::lock_guard lock{mutex_};
  return ledger_.note_listed(list.revoked);
}

Result<std::string> Authority::make_revocation_list() {
  auto made = make_list();
  if (!made) return made.error();
  return std::move(made->pem);
}

Result<Authority::RevocationList> Authority::make_list() {
  const Timestamp now = clock_.now();
  const std::lock_guard lock{mutex_};
  const auto revoked = ledger_.revoked();
  if (!revoked) return revoked.error();
  const auto before = ledger_.list_state();
  if (!before) return before.error();
  // mosquitto's TLS library keeps the old list beside the new one and takes the later; one from the future,
  // made while our clock was wrong, would lock everybody out and is not followed.
  Timestamp from = std::max<Timestamp>(now - list_backdated, before->made_at + 1s);
  if (from > now) from = now - 1s;
  // Whatever our clock says: never shorter than the one before, never for the past.
  const auto made = x509::seconds_of(*X509_get0_notBefore(&issuer_.certificate()));
  const Timestamp until = std::max({now, before->made_at, from_ms(made.value_or(0) * 1000)}) + list_life;
  std::vector<RevokedSerial> serials;
  for (const CertificateRow& row : *revoked) serials.push_back({row.serial, *row.revoked_at});
  auto list = issuer_.revocation_list(before->number + 1, from, until, serials);
  if (!list) return list.error();
  if (auto noted = ledger_.set_list_state({before->number + 1, from}); !noted) return noted.error();
  return RevocationList{*std::move(list), *revoked};
}

Result<std::vector<std::pair<std::string, std::string>>> Authority::uncut() const {
  const std::lock_guard lock{mutex_};
  return ledger_.uncut();
}

Result<std::vector<std::string>> Authority::uncut_programs() const {
  const std::lock_guard lock{mutex_};
  return ledger_.uncut_programs(clock_.now());
}

Result<void> Authority::note_program_cut(const std::string& common_name) {
  const std::lock_guard lock{mutex_};
  return ledger_.note_program_cut(common_name);
}

Result<void> Authority::note_cut(const std::string& site, const std::string& agent) {
  const std::lock_guard lock{mutex_};
  return ledger_.note_cut(site, agent);
}

}  // namespace watchroom::aggregator
