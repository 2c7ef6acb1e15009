// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "proto/base/result.hpp"

/// libcrypto's objects with an owner, and the few things both ends do with them.
namespace watchroom::x509 {

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    release(object);
  }
};
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Request = std::unique_ptr<X509_REQ, Release<X509_REQ_free>>;

/// "what: why", with the oldest word of libcrypto's queue of errors, which is emptied.
Error failure(std::string_view what);

/// Null when the text holds none.
Certificate certificate_of_pem(std::string_view pem);
Certificate certificate_of_der(std::string_view der);
Key key_of_pem(std::string_view pem);
std::string pem_of(const X509& certificate);
std::string der_of(const X509& certificate);

/// 32 bytes.
std::string sha256_of(std::string_view bytes);
/// In upper-case hex, as openssl prints it.
std::string serial_of(const X509& certificate);
/// Empty unless there is exactly one.
std::string common_name_of(const X509_NAME& name);
/// Seconds since 1970; nothing for a time that is none.
std::optional<std::int64_t> seconds_of(const ASN1_TIME& time);

/// A "certs-only" PKCS#7 in DER (RFC 7030 section 4.1.3) and back.
Result<std::string> to_pkcs7(const std::vector<const X509*>& certificates);
Result<std::vector<Certificate>> from_pkcs7(std::string_view der);

}  // namespace watchroom::x509
