// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <string_view>

#include "aggregator/authority/basic_password.hpp"
#include "aggregator/authority/issuer.hpp"
#include "proto/base/base64.hpp"
#include "proto/link/enrolment_token.hpp"

/// What strangers send to the enrolment server, and what a stranger's server may answer to an agent.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom;
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  static_cast<void>(aggregator::basic_password(text));
  if (const auto token = EnrolmentToken::parse(text); token && token->str() != text) __builtin_trap();
  const auto decoded = from_base64(text);
  const std::string_view der = decoded ? std::string_view{*decoded} : text;
  if (const auto request = aggregator::read_request(der))
    static_cast<void>(x509::common_name_of(*X509_REQ_get_subject_name(request->get())));
  if (const auto certificate = x509::certificate_of_der(der)) {
    static_cast<void>(x509::serial_of(*certificate));
    static_cast<void>(x509::common_name_of(*X509_get_subject_name(certificate.get())));
  }
  static_cast<void>(static_cast<bool>(x509::from_pkcs7(der)));
  static_cast<void>(x509::certificate_of_pem(text));
  return 0;
}
