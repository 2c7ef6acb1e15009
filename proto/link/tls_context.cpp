// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/tls_context.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace watchroom {
namespace {

/// What OpenSSL says of the last failure; its queue is empty afterwards.
std::string reason() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  if (const char* words = ERR_reason_error_string(code)) return words;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Error useless(const std::filesystem::path& file, std::string_view what) {
  return fail(Errc::invalid, Retry::later, "TLS: {} is no usable {}: {}", file.string(), what, reason());
}

std::string subject_of(X509* certificate) {
  std::array<char, 256> text{};
  if (certificate) X509_NAME_oneline(X509_get_subject_name(certificate), text.data(), text.size());
  return text.data();
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext> TlsContext::make(const Files& files, const std::string& host, CertificateTime time) {
  ERR_clear_error();
  TlsContext made;
  made.judge_ = std::make_unique<Judge>(Judge{time.is_sure, {}});
  made.context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made.context_.get();
  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return fail(Errc::io, Retry::later, "TLS: {}", reason());
  if (SSL_CTX_load_verify_file(context, files.ca.c_str()) != 1) return useless(files.ca, "CA");
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return useless(files.certificate, "certificate");
  // A program that starts by itself has nobody to ask for a password.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return useless(files.key, "key of the certificate");

  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(rules, time.now.time_since_epoch().count() / 1000);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) != 1 &&
      X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) != 1)
    return fail(Errc::invalid, Retry::never, "TLS: {} is neither a name nor an address", host);
  ERR_clear_error();  // that a name is no address
  SSL_CTX_set_app_data(context, made.judge_.get());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, &TlsContext::judge_certificate);
  return made;
}

int TlsContext::judge_certificate(int is_good, X509_STORE_CTX* chain) {
  if (is_good == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& judge = *static_cast<Judge*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const int error = X509_STORE_CTX_get_error(chain);
  if (error == X509_V_ERR_CERT_NOT_YET_VALID && !judge.is_sure) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
  }
  judge.refusal =
      subject_of(X509_STORE_CTX_get_current_cert(chain)) + ": " + X509_verify_cert_error_string(error);
  return 0;
}

}  // namespace watchroom
