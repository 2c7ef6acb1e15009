// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/device_key.hpp"

#include <array>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_csr.h>

namespace watchroom::agent {
namespace {

/// mbedTLS's objects are structs to be initialised and freed.
template <typename T, auto begin, auto end>
class Held {
 public:
  Held() { begin(&object_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { end(&object_); }
  T* get() { return &object_; }

 private:
  T object_;
};
using Entropy = Held<mbedtls_entropy_context, mbedtls_entropy_init, mbedtls_entropy_free>;
using Random = Held<mbedtls_ctr_drbg_context, mbedtls_ctr_drbg_init, mbedtls_ctr_drbg_free>;
using Key = Held<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;
using Request = Held<mbedtls_x509write_csr, mbedtls_x509write_csr_init, mbedtls_x509write_csr_free>;

/// Wiped when it goes.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { mbedtls_platform_zeroize(bytes_.data(), bytes_.size()); }
  unsigned char* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  const char* text() const { return reinterpret_cast<const char*>(bytes_.data()); }

 private:
  std::array<unsigned char, 2048> bytes_{};
};

Error failure(const char* what, int code) {
  char reason[120] = "";
  mbedtls_strerror(code, reason, sizeof reason);
  return fail(Errc::io, Retry::later, "{}: {}", what, reason);
}

Result<std::string> request_of(Key& key, Random& random, const std::string& common_name) {
  Request request;
  mbedtls_x509write_csr_set_key(request.get(), key.get());
  mbedtls_x509write_csr_set_md_alg(request.get(), MBEDTLS_MD_SHA256);
  const std::string subject = "CN=" + common_name;
  if (const int code = mbedtls_x509write_csr_set_subject_name(request.get(), subject.c_str()); code != 0)
    return failure("the name in the certificate request", code);
  Scratch out;
  const int size =
      mbedtls_x509write_csr_der(request.get(), out.data(), out.size(), mbedtls_ctr_drbg_random, random.get());
  if (size < 0) return failure("the certificate request", size);
  // It is written at the end of the buffer.
  return std::string{out.text() + out.size() - static_cast<std::size_t>(size),
                     static_cast<std::size_t>(size)};
}

}  // namespace

Result<DeviceKey> make_device_key(const std::string& common_name) {
  Entropy entropy;
  Random random;
  Key key;
  if (const int code = mbedtls_ctr_drbg_seed(random.get(), mbedtls_entropy_func, entropy.get(), nullptr, 0);
      code != 0)
    return failure("random numbers", code);
  int code = mbedtls_pk_setup(key.get(), mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (code == 0)
    code = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key.get()), mbedtls_ctr_drbg_random,
                               random.get());
  Scratch out;
  if (code == 0) code = mbedtls_pk_write_key_pem(key.get(), out.data(), out.size());
  if (code != 0) return failure("the device's key", code);
  auto request = request_of(key, random, common_name);
  if (!request) return request.error();
  return DeviceKey{out.text(), *std::move(request)};
}

}  // namespace watchroom::agent
