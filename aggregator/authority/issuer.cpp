// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/issuer.hpp"

#include <algorithm>

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace watchroom::aggregator {
namespace {

using x509::failure;
using x509::Release;
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, Release<ASN1_INTEGER_free>>;
using Time = std::unique_ptr<ASN1_TIME, Release<ASN1_TIME_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using Crl = std::unique_ptr<X509_CRL, Release<X509_CRL_free>>;
using RevokedEntry = std::unique_ptr<X509_REVOKED, Release<X509_REVOKED_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;

constexpr auto authority_life = std::chrono::hours{24 * 3653};
constexpr auto authority_backdated = std::chrono::hours{24};
constexpr const char* curve = "prime256v1";  // P-256

std::time_t seconds(Timestamp at) { return to_ms(at) / 1000; }

x509::Key new_key() { return x509::Key{EVP_EC_gen(curve)}; }

Result<std::string> pem_of(EVP_PKEY& key) {
  const Bio bio{BIO_new(BIO_s_mem())};
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failure("a private key");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string{text, static_cast<std::size_t>(size)};
}

/// RFC 5280 section 4.1.2.2: positive, and of at most 20 octets.
bool set_random_serial(X509& certificate) {
  const Number number{BN_new()};
  return number && BN_rand(number.get(), 128, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_name(X509_NAME& name, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(&name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool add(X509& certificate, const X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), &certificate, nullptr, nullptr, 0);
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, kind, value)};
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

/// By hand: in the text form of an extension a comma in a name would begin another one.
bool add_names(X509& certificate, const std::vector<std::string>& names) {
  const Names all{sk_GENERAL_NAME_new_null()};
  for (const std::string& name : names) {
    unsigned char address[sizeof(in6_addr)];
    const bool is_v4 = ::inet_pton(AF_INET, name.c_str(), address) == 1;
    const bool is_address = is_v4 || ::inet_pton(AF_INET6, name.c_str(), address) == 1;
    ASN1_STRING* text = is_address ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    const bool is_set = is_address ? ASN1_STRING_set(text, address, is_v4 ? 4 : 16) == 1
                                   : ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1;
    GENERAL_NAME* entry = GENERAL_NAME_new();
    if (entry) GENERAL_NAME_set0_value(entry, is_address ? GEN_IPADD : GEN_DNS, text);
    if (!is_set || !entry || sk_GENERAL_NAME_push(all.get(), entry) == 0) return false;
  }
  return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool set_times(X509& certificate, Timestamp from, Timestamp until) {
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), seconds(from)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), seconds(until)) != nullptr;
}

Integer serial_of_hex(const std::string& hex) {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, hex.c_str());
  const Number owned{number};
  return Integer{owned ? BN_to_ASN1_INTEGER(owned.get(), nullptr) : nullptr};
}

bool add_revoked(X509_CRL& list, const RevokedSerial& revoked) {
  RevokedEntry entry{X509_REVOKED_new()};
  const Integer serial = serial_of_hex(revoked.serial);
  const Time at{ASN1_TIME_set(nullptr, seconds(revoked.at))};
  if (!entry || !serial || !at || X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), at.get()) != 1 ||
      X509_CRL_add0_revoked(&list, entry.get()) != 1)
    return false;
  (void)entry.release();  // the list's now
  return true;
}

bool add_list_extensions(X509_CRL& list, const X509& issuer, std::int64_t number) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, const_cast<X509*>(&issuer), nullptr, nullptr, &list, 0);
  const Extension key{X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always")};
  const Integer value{ASN1_INTEGER_new()};
  return key && value && X509_CRL_add_ext(&list, key.get(), -1) == 1 &&
         ASN1_INTEGER_set_int64(value.get(), number) == 1 &&
         X509_CRL_add1_ext_i2d(&list, NID_crl_number, value.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

const char* usage_of(CertificatePlan::Use use) {
  switch (use) {
    case CertificatePlan::Use::client: return "clientAuth";
    case CertificatePlan::Use::server: return "serverAuth";
    case CertificatePlan::Use::signer: return "codeSigning";
  }
  std::abort();
}

bool is_p256(EVP_PKEY& key) {
  char group[32] = "";
  int is_explicit = 0;
  if (EVP_PKEY_is_a(&key, "EC") != 1 ||
      EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) != 1)
    return false;
  // A curve spelt out may differ from P-256 in its generator only: CVE-2020-0601.
  EVP_PKEY_get_int_param(&key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit);
  return is_explicit == 0 && std::string_view{group} == curve;
}

}  // namespace

Result<Issuer> Issuer::make(const std::string& common_name, Timestamp now) {
  x509::Key key = new_key();
  x509::Certificate certificate{X509_new()};
  const bool is_made =
      key && certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
      set_random_serial(*certificate) && set_name(*X509_get_subject_name(certificate.get()), common_name) &&
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) == 1 &&
      set_times(*certificate, now - authority_backdated, now + authority_life) &&
      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
      add(*certificate, certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add(*certificate, certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add(*certificate, certificate.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
  if (!is_made) return failure("the authority's certificate cannot be made");
  return Issuer{std::move(certificate), std::move(key)};
}

Result<Issuer> Issuer::of_pem(std::string_view certificate_pem, std::string_view key_pem) {
  x509::Certificate certificate = x509::certificate_of_pem(certificate_pem);
  x509::Key key = x509::key_of_pem(key_pem);
  if (!certificate) return fail(Errc::corrupt, Retry::never, "there is no certificate (PEM) in it");
  if (!key) return fail(Errc::corrupt, Retry::never, "there is no private key (PEM) beside it");
  if (X509_check_private_key(certificate.get(), key.get()) != 1 || X509_check_ca(certificate.get()) != 1) {
    ERR_clear_error();
    return fail(Errc::corrupt, Retry::never, "key and certificate do not make an authority together");
  }
  return Issuer{std::move(certificate), std::move(key)};
}

Result<std::string> Issuer::key_pem() const { return pem_of(*key_); }

Result<x509::Certificate> Issuer::sign(EVP_PKEY& key, const CertificatePlan& plan) const {
  x509::Certificate made{X509_new()};
  const X509* issuer = certificate_.get();
  Timestamp until = plan.not_after;
  if (const auto own_end = x509::seconds_of(*X509_get0_notAfter(issuer)))
    until = std::min(until, from_ms(*own_end * 1000));
  const bool is_made = made && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
                       set_random_serial(*made) &&
                       set_name(*X509_get_subject_name(made.get()), plan.common_name) &&
                       X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1 &&
                       set_times(*made, plan.not_before, until) && X509_set_pubkey(made.get(), &key) == 1 &&
                       add(*made, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                       add(*made, issuer, NID_key_usage, "critical,digitalSignature") &&
                       add(*made, issuer, NID_ext_key_usage, usage_of(plan.use)) &&
                       add(*made, issuer, NID_subject_key_identifier, "hash") &&
                       add(*made, issuer, NID_authority_key_identifier, "keyid:always") &&
                       (plan.names.empty() || add_names(*made, plan.names)) &&
                       X509_sign(made.get(), key_.get(), EVP_sha256()) > 0;
  if (!is_made) return failure(fmt::format("a certificate for {} cannot be made", plan.common_name));
  return made;
}

Result<NewIdentity> Issuer::issue(const CertificatePlan& plan) const {
  const x509::Key key = new_key();
  if (!key) return failure("a key cannot be made");
  auto certificate = sign(*key, plan);
  if (!certificate) return certificate.error();
  auto key_text = pem_of(*key);
  if (!key_text) return key_text.error();
  std::string text = x509::pem_of(**certificate);
  return NewIdentity{*std::move(certificate), std::move(text), *std::move(key_text)};
}

bool Issuer::has_signed(const X509& certificate) const {
  const bool is_ours =
      X509_NAME_cmp(X509_get_issuer_name(&certificate), X509_get_subject_name(certificate_.get())) == 0 &&
      X509_verify(const_cast<X509*>(&certificate), key_.get()) == 1;
  ERR_clear_error();
  return is_ours;
}

Result<std::string> Issuer::revocation_list(std::int64_t number, Timestamp from, Timestamp until,
                                            const std::vector<RevokedSerial>& revoked) const {
  const Crl list{X509_CRL_new()};
  const Time begin{ASN1_TIME_set(nullptr, seconds(from))}, end{ASN1_TIME_set(nullptr, seconds(until))};
  bool is_made = list && begin && end && X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1 &&
                 X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get())) == 1 &&
                 X509_CRL_set1_lastUpdate(list.get(), begin.get()) == 1 &&
                 X509_CRL_set1_nextUpdate(list.get(), end.get()) == 1 &&
                 add_list_extensions(*list, *certificate_, number);
  for (const RevokedSerial& one : revoked) is_made = is_made && add_revoked(*list, one);
  const Bio bio{BIO_new(BIO_s_mem())};
  is_made = is_made && X509_CRL_sort(list.get()) == 1 &&
            X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0 &&
            PEM_write_bio_X509_CRL(bio.get(), list.get()) == 1;
  if (!is_made) return failure("the list of revoked certificates cannot be made");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string{text, static_cast<std::size_t>(size)};
}

std::optional<Timestamp> Issuer::end_of_revocation_list(std::string_view pem) const {
  const Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  const Crl list{bio ? PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr) : nullptr};
  const bool is_ours = list && X509_CRL_verify(list.get(), key_.get()) == 1;
  ERR_clear_error();
  const ASN1_TIME* end = is_ours ? X509_CRL_get0_nextUpdate(list.get()) : nullptr;
  const auto at = end ? x509::seconds_of(*end) : std::nullopt;
  if (!at) return std::nullopt;
  return from_ms(*at * 1000);
}

std::vector<std::string> names_of(const X509& certificate) {
  std::vector<std::string> names;
  const Names all{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    int kind = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &kind));
    if (kind != GEN_DNS && kind != GEN_IPADD) continue;
    const unsigned char* bytes = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    char text[INET6_ADDRSTRLEN] = "";
    if (kind == GEN_DNS)
      names.emplace_back(bytes, bytes + size);
    else if ((size == 4 || size == 16) &&
             ::inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text) != nullptr)
      names.emplace_back(text);
  }
  return names;
}

Result<x509::Request> read_request(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  x509::Request request{d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  if (!request) return fail(Errc::invalid, Retry::never, "the body is no certificate request (PKCS#10)");
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  const bool is_fit = key && is_p256(*key);
  const bool is_signed = is_fit && X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!is_fit) return fail(Errc::invalid, Retry::never, "the request's key is not EC P-256");
  if (!is_signed) return fail(Errc::invalid, Retry::never, "the request's own key did not sign it");
  return request;
}

}  // namespace watchroom::aggregator
