// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/key_pair_files.hpp"

#include <fstream>

#include "proto/base/replace_file.hpp"
#include "proto/link/x509.hpp"

namespace watchroom {
namespace {

constexpr unsigned for_all_to_read = 0644;

std::optional<std::string> text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

/// Key and certificate in one file: whole or not there.
std::filesystem::path next_of(const KeyPairFiles& files) { return files.key.string() + ".next"; }

bool belong_together(const std::string& certificate_pem, const std::string& key_pem) {
  const auto certificate = x509::certificate_of_pem(certificate_pem);
  const auto key = x509::key_of_pem(key_pem);
  return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
}

}  // namespace

std::optional<KeyPair> load_key_pair(const KeyPairFiles& files) {
  const auto certificate_pem = text_of(files.certificate), key_pem = text_of(files.key);
  if (!certificate_pem || !key_pem || !belong_together(*certificate_pem, *key_pem)) return std::nullopt;
  const auto certificate = x509::certificate_of_pem(*certificate_pem);
  const auto since = x509::seconds_of(*X509_get0_notBefore(certificate.get()));
  const auto until = x509::seconds_of(*X509_get0_notAfter(certificate.get()));
  if (!since || !until) return std::nullopt;
  return KeyPair{*certificate_pem, *key_pem, from_ms(*since * 1000), from_ms(*until * 1000)};
}

Result<void> replace_key_pair(const KeyPairFiles& files, const std::string& certificate_pem,
                              const std::string& key_pem) {
  if (!belong_together(certificate_pem, key_pem))
    return fail(Errc::corrupt, Retry::later, "the certificate that came is not for our key");
  if (auto written = replace_file(next_of(files), key_pem + certificate_pem); !written) return written;
  const auto finished = finish_replacement(files);
  return finished ? Result<void>{} : finished.error();
}

Result<bool> finish_replacement(const KeyPairFiles& files) {
  constexpr std::string_view begin_of_certificate = "-----BEGIN CERTIFICATE-----";
  const auto both = text_of(next_of(files));
  if (!both) return false;
  const auto at = both->find(begin_of_certificate);
  const std::string key_pem = both->substr(0, at);
  const std::string certificate_pem = at == std::string::npos ? "" : both->substr(at);
  std::error_code error;
  if (belong_together(certificate_pem, key_pem)) {
    if (auto written = replace_file(files.key, key_pem, files.key_mode); !written) return written.error();
    if (auto written = replace_file(files.certificate, certificate_pem, for_all_to_read); !written)
      return written.error();
  }
  std::filesystem::remove(next_of(files), error);
  if (error) return fail(Errc::io, Retry::later, "{}: {}", next_of(files).string(), error.message());
  return true;
}

}  // namespace watchroom
