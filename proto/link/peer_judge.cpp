// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/peer_judge.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace watchroom {
namespace {

/// Not the application data of a context: Boost.Asio keeps, and deletes, an object of its own there.
int place_in_context() {
  static const int place =
      CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, nullptr);
  return place;
}

std::string subject_of(X509* certificate) {
  std::array<char, 256> text{};
  if (certificate) X509_NAME_oneline(X509_get_subject_name(certificate), text.data(), text.size());
  return text.data();
}

}  // namespace

Result<void> PeerJudge::watch(ssl_ctx_st& context, const std::string& host) {
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(&context);
  X509_VERIFY_PARAM_set_time(rules, time_.now.time_since_epoch().count() / 1000);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_known = X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1 ||
                        X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1;
  ERR_clear_error();  // that a name is no address
  if (!is_known) return fail(Errc::invalid, Retry::never, "TLS: {} is neither a name nor an address", host);
  if (SSL_CTX_set_ex_data(&context, place_in_context(), this) != 1)
    return fail(Errc::io, Retry::later, "TLS: there is no memory");
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, &PeerJudge::judge);
  return {};
}

int PeerJudge::judge(int is_good, X509_STORE_CTX* chain) {
  if (is_good == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& self = *static_cast<PeerJudge*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place_in_context()));
  const int error = X509_STORE_CTX_get_error(chain);
  if (error == X509_V_ERR_CERT_NOT_YET_VALID && !self.time_.is_sure) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
  }
  self.refusal_ =
      subject_of(X509_STORE_CTX_get_current_cert(chain)) + ": " + X509_verify_cert_error_string(error);
  return 0;
}

}  // namespace watchroom
