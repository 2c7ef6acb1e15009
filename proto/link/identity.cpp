// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/identity.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "proto/link/x509.hpp"

namespace watchroom {
namespace {

using About = IdentityProblem::About;

using Bio = std::unique_ptr<BIO, x509::Release<BIO_free_all>>;
using x509::Certificate;
using x509::Key;

Bio open(const std::filesystem::path& file) { return Bio{BIO_new_file(file.c_str(), "r")}; }

Certificate read_certificate(const std::filesystem::path& file) {
  const Bio bio = open(file);
  return Certificate{bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr};
}

/// A program that starts by itself has nobody to ask for a password.
int no_password(char*, int, int, void*) { return 0; }

Key read_key(const std::filesystem::path& file) {
  const Bio bio = open(file);
  return Key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr};
}

using Time = std::unique_ptr<ASN1_TIME, x509::Release<ASN1_TIME_free>>;

std::optional<std::int64_t> seconds_since_1970(const ASN1_TIME* time) {
  constexpr std::int64_t day = 86'400;
  const Time begin{ASN1_TIME_set(nullptr, 0)};
  int days = 0, seconds = 0;
  if (!begin || ASN1_TIME_diff(&days, &seconds, begin.get(), time) != 1) return std::nullopt;
  return days * day + seconds;
}

std::vector<Validity> read_all(const std::filesystem::path& file) {
  std::vector<Validity> all;
  const Bio bio = open(file);
  while (bio) {
    const Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!certificate) break;
    const auto since = seconds_since_1970(X509_get0_notBefore(certificate.get()));
    const auto until = seconds_since_1970(X509_get0_notAfter(certificate.get()));
    if (since && until) all.push_back({*since, *until});
  }
  ERR_clear_error();
  return all;
}

std::string shown(const ASN1_TIME* time) {
  const Bio bio{BIO_new(BIO_s_mem())};
  ASN1_TIME_print(bio.get(), time);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void check_dates(const X509& certificate, const std::filesystem::path& file, About about, std::time_t now,
                 std::vector<IdentityProblem>& problems) {
  const ASN1_TIME* end = X509_get0_notAfter(&certificate);
  const ASN1_TIME* begin = X509_get0_notBefore(&certificate);
  if (X509_cmp_time(end, &now) < 0)
    problems.push_back({about, fmt::format("\"{}\" has run out on {}", file.string(), shown(end)), true});
  if (X509_cmp_time(begin, &now) > 0)
    problems.push_back(
        {about, fmt::format("\"{}\" is not valid before {}", file.string(), shown(begin)), true});
}

}  // namespace

std::vector<IdentityProblem> check_identity(const std::filesystem::path& authority,
                                            const std::filesystem::path& certificate,
                                            const std::filesystem::path& key, std::time_t now) {
  std::vector<IdentityProblem> problems;
  const Certificate ca = read_certificate(authority);
  const Certificate own = read_certificate(certificate);
  const Key own_key = read_key(key);
  if (!ca)
    problems.push_back(
        {About::authority, fmt::format("\"{}\" holds no certificate, expected PEM", authority.string())});
  if (!own)
    problems.push_back(
        {About::certificate, fmt::format("\"{}\" holds no certificate, expected PEM", certificate.string())});
  if (!own_key)
    problems.push_back(
        {About::key,
         fmt::format("\"{}\" holds no private key, expected PEM without a password", key.string())});
  if (own && own_key && X509_check_private_key(own.get(), own_key.get()) != 1)
    problems.push_back({About::key, fmt::format("\"{}\" does not belong to the certificate \"{}\"",
                                                key.string(), certificate.string())});
  if (ca) check_dates(*ca, authority, About::authority, now, problems);
  if (own) check_dates(*own, certificate, About::certificate, now, problems);
  ERR_clear_error();
  return problems;
}

std::optional<Validity> read_validity(const std::filesystem::path& file, CertificateFile kind,
                                      std::int64_t now) {
  const auto all = read_all(file);
  if (all.empty()) return std::nullopt;
  Validity serving = all.front();
  for (const Validity& one : all) {
    if (kind == CertificateFile::chain) {
      serving = {std::max(serving.since, one.since), std::min(serving.until, one.until)};
    } else {
      const bool serves = one.until >= now, other_serves = serving.until >= now;
      const bool is_next =
          serves == other_serves ? (serves ? one.until < serving.until : one.until > serving.until) : serves;
      if (is_next) serving = one;
    }
  }
  return serving;
}

}  // namespace watchroom
