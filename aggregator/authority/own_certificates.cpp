// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/own_certificates.hpp"

#include <algorithm>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aggregator/identity/secret.hpp"
#include "proto/link/tls_context.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

// For clocks that are behind ours.
constexpr std::chrono::milliseconds most_backdated = 24h;
constexpr auto pause_after_failure = 1h;  // each attempt is a row in the ledger
constexpr auto ask_interval = 1h;
constexpr auto ask_again = 1min;  // while the broker does not show what it should
constexpr auto patience = 2min;   // with a broker that was told just now
constexpr int longest_handshake_s = 5;
constexpr int nap_ms = 20;

using Bio = std::unique_ptr<BIO, x509::Release<BIO_free_all>>;

std::string sha256_of_pem(const std::string& pem) {
  return to_hex(x509::sha256_of(x509::der_of(*x509::certificate_of_pem(pem))));
}

/// The key is written with the rights that it has.
KeyPairFiles with_its_mode(KeyPairFiles files) {
  struct stat status {};
  if (::stat(files.key.c_str(), &status) == 0) files.key_mode = status.st_mode & 0777;
  return files;
}

Timestamp authority_until(const Issuer& issuer) {
  const auto end = x509::seconds_of(*X509_get0_notAfter(&issuer.certificate()));
  return from_ms(end.value_or(0) * 1000);
}

}  // namespace

RenewalNeed renewal_need(Timestamp since, Timestamp until, Timestamp authority_until, Timestamp now) {
  if (now < since) return RenewalNeed::now;
  const auto life = until - since;
  if (now < since + life * 2 / 3) return RenewalNeed::none;
  return std::min(now + life, authority_until) > until ? RenewalNeed::now : RenewalNeed::futile;
}

Result<ServedCertificate> served_certificate(const BrokerSettings& broker, const Clock& clock) {
  const auto tls = TlsContext::make({broker.ca_file, broker.certificate_file, broker.key_file}, broker.host,
                                    {clock.now(), true});
  if (!tls) return tls.error();
  const Bio bio{BIO_new_ssl_connect(tls->get())};
  SSL* ssl = nullptr;
  if (!bio || BIO_get_ssl(bio.get(), &ssl) != 1) return x509::failure("TLS");
  // Nothing is sent: also one that has run out is to be seen.
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  BIO_set_conn_hostname(bio.get(), broker.host.c_str());
  BIO_set_conn_port(bio.get(), std::to_string(broker.port).c_str());
  BIO_set_nbio(bio.get(), 1);
  const bool is_done = BIO_do_connect_retry(bio.get(), longest_handshake_s, nap_ms) == 1;
  const x509::Certificate shown{is_done ? SSL_get1_peer_certificate(ssl) : nullptr};
  if (!shown)
    return x509::failure(fmt::format("the broker {}:{} shows no certificate", broker.host, broker.port));
  ERR_clear_error();
  const auto until = x509::seconds_of(*X509_get0_notAfter(shown.get()));
  return ServedCertificate{to_hex(x509::sha256_of(x509::der_of(*shown))), from_ms(until.value_or(0) * 1000)};
}

Result<void> finish_host_replacement(const std::filesystem::path& settings_file) {
  Problems told_later;
  const auto table = SettingsTable::load(settings_file, told_later);
  if (!table) return {};
  const SettingsTable broker = table->table("broker");
  const auto path = [&](const char* key) { return broker.file(key, {.help = "", .must_exist = false}); };
  const KeyPairFiles files{path("certificate_file"), path("key_file")};
  if (!told_later.empty()) return {};
  const auto finished = finish_replacement(files);
  return finished ? Result<void>{} : finished.error();
}

bool may_replace(const std::filesystem::path& file) {
  struct stat status {
  }, folder{};
  if (::stat(file.c_str(), &status) != 0) return false;
  const auto place = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
  if (::stat(place.c_str(), &folder) != 0 || ::access(place.c_str(), W_OK) != 0) return false;
  if (::geteuid() == 0) return true;
  const bool is_group_kept =
      status.st_gid == ::getegid() || ((folder.st_mode & S_ISGID) != 0 && folder.st_gid == status.st_gid);
  return status.st_uid == ::geteuid() && is_group_kept;
}

OwnCertificates::OwnCertificates(Plan plan, Authority& authority, const Clock& clock, AuditTrail& trail,
                                 Log log)
    : plan_{std::move(plan)}, authority_{authority}, clock_{clock}, trail_{trail}, log_{std::move(log)} {}

std::vector<EndangeredCertificate> OwnCertificates::look() {
  std::vector<EndangeredCertificate> endangered;
  look_at_host(endangered);
  look_at_server(endangered);
  return endangered;
}

void OwnCertificates::look_at_host(std::vector<EndangeredCertificate>& endangered) {
  const Kind kind{"监控中心的证书", "the aggregator's certificate", "host", CertificatePlan::Use::client};
  const KeyPairFiles files{plan_.broker.certificate_file, plan_.broker.key_file};
  const auto present = load_key_pair(files);
  if (!present) return;  // without it there is no broker, which is an alarm of its own
  // Each broker session reads the files anew: from now on none begins with the old certificate.
  const bool is_in_use = host_in_use_ == present->certificate_pem;
  if (!is_in_use && !host_in_use_.empty() && plan_.host_renewed) plan_.host_renewed();
  host_in_use_ = present->certificate_pem;
  if (is_in_use) end_replaced_by(*present);
  const auto why = tend(kind, files, *present, [this, &files]() -> Result<void> {
    if (plan_.host_renewed) plan_.host_renewed();
    if (const auto fresh = load_key_pair(files)) host_in_use_ = fresh->certificate_pem;
    return {};
  });
  if (why) endangered.push_back({kind.name_zh, kind.name_en, why->zh, why->en, present->until});
}

void OwnCertificates::look_at_server(std::vector<EndangeredCertificate>& endangered) {
  const Kind kind{"消息服务器的证书", "the broker's certificate", "broker", CertificatePlan::Use::server};
  const auto endanger = [&](const std::string& zh, const std::string& en, Timestamp until) {
    endangered.push_back({kind.name_zh, kind.name_en, zh, en, until});
  };
  const auto& files = authority_.settings().broker_identity;
  auto present = files ? load_key_pair(*files) : std::nullopt;
  if (files && !present && finish_replacement(with_its_mode(*files))) present = load_key_pair(*files);
  std::optional<Why> why;
  if (present && !(plan_.is_broker_reading && plan_.is_broker_reading())) {
    why = tend(kind, *files, *present, plan_.server_renewed);
    present = load_key_pair(*files);
  }
  const std::string expected = present ? sha256_of_pem(present->certificate_pem) : "";
  ask_broker(expected);
  // What it shows is what counts; while nobody has seen that, what lies in the file.
  if (!served_) {
    if (why && present) endanger(why->zh, why->en, present->until);
    return;
  }
  const bool differs = present && served_->sha256 != expected;
  if (!differs) differs_since_.reset();
  if (differs && !differs_since_) differs_since_ = clock_.steady();
  if (present && !differs) end_replaced_by(*present);
  if (!files)
    endanger("[enrolment] broker_certificate_file 未设置，无人续期",
             "[enrolment] broker_certificate_file is not set: nobody renews it", served_->until);
  else if (!present)
    endanger(fmt::format("{} 与私钥无法读取或不匹配", files->certificate.string()),
             fmt::format("{} and its key cannot be read or do not fit", files->certificate.string()),
             served_->until);
  else if (differs && clock_.steady() - *differs_since_ >= patience)
    endanger("消息服务器仍在使用另一张证书，请重启消息服务器",
             "the broker still shows another certificate than the file holds: restart the broker",
             served_->until);
  else if (why)
    endanger(why->zh, why->en, served_->until);
}

std::optional<OwnCertificates::Why> OwnCertificates::tend(const Kind& kind, const KeyPairFiles& files,
                                                          const KeyPair& present,
                                                          const std::function<Result<void>()>& renewed) {
  const Timestamp end = authority_until(authority_.issuer());
  const RenewalNeed need = renewal_need(present.since, present.until, end, clock_.now());
  const auto certificate = x509::certificate_of_pem(present.certificate_pem);
  if (!authority_.issuer().has_signed(*certificate))
    return Why{"不是本站 CA 签发，须人工续期", "it was not issued by this authority: renew it by hand"};
  if (need == RenewalNeed::none) {
    failed_.erase(kind.object);
    return std::nullopt;
  }
  if (need == RenewalNeed::futile)
    return Why{fmt::format("本站 CA 自身于 {} 到期", to_rfc3339(end)),
               fmt::format("the authority itself ends on {}", to_rfc3339(end))};
  const auto before = failed_.find(kind.object);
  if (before == failed_.end() || clock_.steady() - before->second.at >= pause_after_failure) {
    auto done = renew(kind, files, present);
    if (done) {
      failed_.erase(kind.object);
      log_.info("{} was renewed", kind.name_en);
      if (renewed)
        if (auto told = renewed(); !told) log_.error("{}: {}", kind.name_en, told.error().text);
      return std::nullopt;
    }
    if (before == failed_.end() || before->second.trouble != done.error().text) {
      log_.error("{} cannot be renewed: {}", kind.name_en, done.error().text);
      trail_.record({"system", "", "certificate.renew", kind.object, Outcome::failed, done.error().text});
    }
    failed_[kind.object] = {clock_.steady(), done.error().text};
  }
  const std::string& trouble = failed_[kind.object].trouble;
  return Why{fmt::format("无法续期：{}", trouble), fmt::format("it cannot be renewed: {}", trouble)};
}

Result<void> OwnCertificates::renew(const Kind& kind, const KeyPairFiles& files, const KeyPair& present) {
  for (const auto& file : {files.certificate, files.key})
    if (!may_replace(file))
      return fail(
          Errc::io, Retry::later,
          "{} cannot be replaced without changing who may read it: it must belong to the user and group "
          "of the aggregator, in a folder that it may write to",
          file.string());
  const auto certificate = x509::certificate_of_pem(present.certificate_pem);
  const auto life = present.until - present.since;
  CertificatePlan plan;
  plan.common_name = x509::common_name_of(*X509_get_subject_name(certificate.get()));
  plan.use = kind.use;
  plan.names = names_of(*certificate);
  plan.not_before = clock_.now() - std::min(most_backdated, life / 10);
  plan.not_after = plan.not_before + life;
  if (kind.use == CertificatePlan::Use::client && plan.common_name != plan_.host_id)
    return fail(Errc::refused, Retry::never, "it is for \"{}\" and not for \"{}\"", plan.common_name,
                plan_.host_id);
  const auto made = authority_.issue(plan, kind.use == CertificatePlan::Use::client ? "host" : "server",
                                     x509::serial_of(*certificate));
  if (!made) return made.error();
  if (auto written = replace_key_pair(with_its_mode(files), made->certificate_pem, made->key_pem); !written)
    return written;
  trail_.record({"system", "", "certificate.renew", kind.object, Outcome::done,
                 fmt::format("serial {}, good until {}", x509::serial_of(*made->certificate),
                             to_rfc3339(plan.not_after))});
  if (auto noted = authority_.note_issue_audited(x509::serial_of(*made->certificate)); !noted)
    log_.error("{}", noted.error().text);
  return {};
}

void OwnCertificates::end_replaced_by(const KeyPair& in_use) {
  const auto certificate = x509::certificate_of_pem(in_use.certificate_pem);
  if (auto done = authority_.revoke_replaced_by(x509::der_of(*certificate)); !done)
    log_.error("what {} replaced cannot be revoked: {}", x509::serial_of(*certificate), done.error().text);
}

void OwnCertificates::ask_broker(const std::string& expected_sha256) {
  const bool is_as_expected = served_ && (expected_sha256.empty() || served_->sha256 == expected_sha256);
  if (asked_ && clock_.steady() - *asked_ < (is_as_expected ? ask_interval : ask_again)) return;
  asked_ = clock_.steady();
  // A broker that is out of reach is told by others.
  if (auto served = served_certificate(plan_.broker, clock_)) served_ = *std::move(served);
}

}  // namespace watchroom::aggregator
