// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/x509.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/sha.h>

namespace watchroom::x509 {
namespace {

using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Time = std::unique_ptr<ASN1_TIME, Release<ASN1_TIME_free>>;
using Pkcs7 = std::unique_ptr<PKCS7, Release<PKCS7_free>>;
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;

Bio reading(std::string_view text) {
  return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string written(BIO& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(&bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

/// A program that starts by itself has nobody to ask for a password.
int no_password(char*, int, int, void*) { return 0; }

void free_text(char* text) { OPENSSL_free(text); }

}  // namespace

Error failure(std::string_view what) {
  char reason[200] = "no reason given";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  return fail(Errc::io, Retry::never, "{}: {}", what, reason);
}

Certificate certificate_of_pem(std::string_view pem) {
  const Bio bio = reading(pem);
  Certificate certificate{bio ? PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr) : nullptr};
  ERR_clear_error();
  return certificate;
}

Certificate certificate_of_der(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  Certificate certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  return certificate;
}

Key key_of_pem(std::string_view pem) {
  const Bio bio = reading(pem);
  Key key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr};
  ERR_clear_error();
  return key;
}

std::string pem_of(const X509& certificate) {
  const Bio bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), const_cast<X509*>(&certificate));
  return written(*bio);
}

std::string der_of(const X509& certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(const_cast<X509*>(&certificate), &bytes);
  std::string der{reinterpret_cast<char*>(bytes), size > 0 ? static_cast<std::size_t>(size) : 0};
  OPENSSL_free(bytes);
  return der;
}

std::string sha256_of(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string serial_of(const X509& certificate) {
  const Number number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr)};
  if (!number) return {};
  const std::unique_ptr<char, Release<free_text>> hex{BN_bn2hex(number.get())};
  return hex ? hex.get() : "";
}

std::string common_name_of(const X509_NAME& name) {
  const int at = X509_NAME_get_index_by_NID(&name, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(&name, NID_commonName, at) >= 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(&name, at));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  std::string found{reinterpret_cast<char*>(utf8), size > 0 ? static_cast<std::size_t>(size) : 0};
  OPENSSL_free(utf8);
  ERR_clear_error();
  return found;
}

std::optional<std::int64_t> seconds_of(const ASN1_TIME& time) {
  constexpr std::int64_t day = 86'400;
  const Time begin{ASN1_TIME_set(nullptr, 0)};
  int days = 0, seconds = 0;
  if (!begin || ASN1_TIME_diff(&days, &seconds, begin.get(), &time) != 1) return std::nullopt;
  return days * day + seconds;
}

Result<std::string> to_pkcs7(const std::vector<const X509*>& certificates) {
  const Pkcs7 bag{PKCS7_new()};
  if (!bag || PKCS7_set_type(bag.get(), NID_pkcs7_signed) != 1 ||
      PKCS7_content_new(bag.get(), NID_pkcs7_data) != 1)
    return failure("PKCS#7");
  // Certificates and nothing signed: no content at all (RFC 5272 section 4.1).
  ASN1_OCTET_STRING_free(bag->d.sign->contents->d.data);
  bag->d.sign->contents->d.data = nullptr;
  for (const X509* certificate : certificates)
    if (PKCS7_add_certificate(bag.get(), const_cast<X509*>(certificate)) != 1) return failure("PKCS#7");
  unsigned char* bytes = nullptr;
  const int size = i2d_PKCS7(bag.get(), &bytes);
  if (size <= 0) return failure("PKCS#7");
  std::string der{reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size)};
  OPENSSL_free(bytes);
  return der;
}

Result<std::vector<Certificate>> from_pkcs7(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const Pkcs7 bag{d2i_PKCS7(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  if (!bag || !PKCS7_type_is_signed(bag.get()) || !bag->d.sign)
    return fail(Errc::corrupt, Retry::never, "what came holds no certificates (PKCS#7)");
  std::vector<Certificate> found;
  STACK_OF(X509)* inside = bag->d.sign->cert;
  for (int i = 0; i < sk_X509_num(inside); ++i) {
    X509* one = sk_X509_value(inside, i);
    X509_up_ref(one);
    found.emplace_back(one);
  }
  if (found.empty()) return fail(Errc::corrupt, Retry::never, "what came holds no certificates (PKCS#7)");
  return found;
}

}  // namespace watchroom::x509
