// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/tls_context.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>

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

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext> TlsContext::make(const Files& files, const std::string& host, CertificateTime time) {
  ERR_clear_error();
  TlsContext made;
  made.judge_ = std::make_unique<PeerJudge>(time);
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

  if (auto watched = made.judge_->watch(*context, host); !watched) return watched.error();
  return made;
}

}  // namespace watchroom
