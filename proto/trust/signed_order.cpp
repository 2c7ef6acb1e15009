// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/signed_order.hpp"

#include <array>

#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>

#include "messages/trust.pb.h"
#include "proto/trust/mbed.hpp"

namespace watchroom {
namespace {

using Certificates = Mbed<mbedtls_x509_crt, mbedtls_x509_crt_init, mbedtls_x509_crt_free>;
using Hash = std::array<unsigned char, 32>;

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Hash sha256(std::string_view bytes) {
  Hash hash{};
  mbedtls_sha256_ret(raw(bytes), bytes.size(), hash.data(), 0);
  return hash;
}

/// What the signature is over: no other use of the key, and no other certificate for it, can be taken for
/// this one.
std::string to_be_signed(std::string_view order, std::string_view certificate) {
  const Hash of_certificate = sha256(certificate);
  std::string bytes = "watchroom signed order 1\n";
  bytes.append(of_certificate.begin(), of_certificate.end());
  bytes.append(order);
  return bytes;
}

Error unauthorised(std::string_view what) {
  return fail(Errc::not_authorized, Retry::never, "an order that nobody vouches for: {}", what);
}

std::int64_t days_since_1970(int year, int month, int day) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / month / day}.time_since_epoch().count();
}
Timestamp to_timestamp(const mbedtls_x509_time& time) {
  constexpr std::int64_t day_s = 86'400, hour_s = 3'600, minute_s = 60, second_ms = 1'000;
  return from_ms((days_since_1970(time.year, time.mon, time.day) * day_s + time.hour * hour_s +
                  time.min * minute_s + time.sec) *
                 second_ms);
}

/// Elliptic curve P-256 and SHA-256 only, as the house's authority issues.
mbedtls_x509_crt_profile our_profile() {
  return {.allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384),
          .allowed_pks = MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY),
          .allowed_curves =
              MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1),
          .rsa_min_bitlen = 0};
}

Result<void> check_use(const mbedtls_x509_crt& certificate) {
  constexpr char code_signing[] = MBEDTLS_OID_CODE_SIGNING;
  // A certificate without the extension is for anything, says mbedTLS; for us it is for nothing.
  if ((certificate.ext_types & MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) == 0 ||
      mbedtls_x509_crt_check_extended_key_usage(&certificate, code_signing, sizeof code_signing - 1) != 0)
    return unauthorised("the certificate is not for signing");
  if (mbedtls_x509_crt_check_key_usage(&certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
    return unauthorised("the certificate's key is not for signatures");
  return {};
}

/// By our time, not the machine's.
Result<void> check_dates(const mbedtls_x509_crt& certificate, CertificateTime time) {
  if (time.now > to_timestamp(certificate.valid_to)) return unauthorised("the certificate has run out");
  if (time.is_sure && time.now < to_timestamp(certificate.valid_from))
    return unauthorised("the certificate is not valid yet");
  return {};
}

std::string common_name(const mbedtls_x509_crt& certificate) {
  for (const mbedtls_x509_name* part = &certificate.subject; part; part = part->next)
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &part->oid) == 0)
      return {reinterpret_cast<const char*>(part->val.p), part->val.len};
  return {};
}

}  // namespace

Result<std::string> sign(const Order& order, const SigningKey& key, std::string_view certificate) {
  const std::string bytes = canonical_bytes(order);
  if (auto readable = read_order(bytes); !readable) return readable.error();
  auto signature = key.sign(to_be_signed(bytes, certificate));
  if (!signature) return signature.error();
  wire::SignedOrder message;
  message.set_order(bytes);
  message.set_certificate(std::string{certificate});
  message.set_signature(*std::move(signature));
  return message.SerializeAsString();
}

struct SignatureJudge::Inside {
  Certificates authority;

  Result<void> check_chain(mbedtls_x509_crt& certificate) {
    const mbedtls_x509_crt_profile profile = our_profile();
    std::uint32_t flags = 0;
    mbedtls_x509_crt_verify_with_profile(&certificate, authority.get(), nullptr, &profile, nullptr, &flags,
                                         nullptr, nullptr);
    // The machine's clock judged these two; check_dates does it by a time that can be relied on.
    flags &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    if (flags == 0) return {};
    char why[256] = "";
    mbedtls_x509_crt_verify_info(why, sizeof why, "", flags);
    std::string_view first = why;
    return unauthorised(first.substr(0, first.find('\n')));
  }
};

SignatureJudge::SignatureJudge(std::unique_ptr<Inside> inside) : inside_{std::move(inside)} {}
SignatureJudge::SignatureJudge(SignatureJudge&&) noexcept = default;
SignatureJudge& SignatureJudge::operator=(SignatureJudge&&) noexcept = default;
SignatureJudge::~SignatureJudge() = default;

Result<SignatureJudge> SignatureJudge::load(const std::filesystem::path& authority) {
  auto inside = std::make_unique<Inside>();
  if (const int code = mbedtls_x509_crt_parse_file(inside->authority.get(), authority.c_str()); code != 0)
    return fail(Errc::invalid, Retry::later, "the authority {} cannot be read: {}", authority.string(),
                code < 0 ? mbed_reason(code) : fmt::format("{} of its certificates", code));
  return SignatureJudge{std::move(inside)};
}

Result<Vouched> SignatureJudge::read(std::string_view signed_order, CertificateTime time) const {
  constexpr std::size_t room_for_the_rest = 16 * 1024;
  wire::SignedOrder message;
  if (signed_order.size() > longest_order + room_for_the_rest ||
      !message.ParseFromArray(signed_order.data(), static_cast<int>(signed_order.size())))
    return fail(Errc::corrupt, Retry::never, "a signed order that cannot be decoded");
  Certificates certificate;
  if (mbedtls_x509_crt_parse_der(certificate.get(), raw(message.certificate()),
                                 message.certificate().size()) != 0)
    return fail(Errc::corrupt, Retry::never, "a signed order without a certificate");
  if (auto vouched = inside_->check_chain(*certificate.get()); !vouched) return vouched.error();
  if (auto fits = check_use(*certificate.get()); !fits) return fits.error();
  if (auto serves = check_dates(*certificate.get(), time); !serves) return serves.error();
  const Hash hash = sha256(to_be_signed(message.order(), message.certificate()));
  if (mbedtls_pk_verify(&certificate->pk, MBEDTLS_MD_SHA256, hash.data(), hash.size(),
                        raw(message.signature()), message.signature().size()) != 0)
    return unauthorised("the signature is wrong");
  auto order = read_order(message.order());
  if (!order) return order.error();
  if (common_name(*certificate.get()) != order->issuer)
    return unauthorised(fmt::format("the key is not {}'s", order->issuer));
  return Vouched{*std::move(order), to_timestamp(certificate->valid_from)};
}

}  // namespace watchroom
