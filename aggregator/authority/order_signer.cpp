// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/order_signer.hpp"

#include "proto/base/base64.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/base/whole_file.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto life = 24h * 365;
constexpr auto backdated = 5min;  // agents' clocks differ a little
constexpr std::size_t longest_file = 64 * 1024;

}  // namespace

OrderSigner::OrderSigner(Authority* authority, const std::filesystem::path& folder, std::string host_id,
                         const Clock& clock, AuditTrail& trail)
    : authority_{authority},
      file_{folder / "signing.pem"},
      host_id_{std::move(host_id)},
      clock_{clock},
      trail_{trail} {}

Result<std::string> OrderSigner::sign(Order order, std::chrono::milliseconds good_for) {
  const std::lock_guard lock{mutex_};
  if (!authority_)
    return fail(Errc::not_found, Retry::never,
                "nothing can be signed: aggregator.toml has no [enrolment], so there is no authority");
  if (!signing_)
    if (auto loaded = load(); !loaded) return loaded.error();
  if (clock_.now() >= signing_->renew_at)
    if (auto made = make(); !made) return made.error();
  order.issuer = host_id_;
  order.issued = clock_.now();
  order.expires = order.issued + good_for;
  auto bytes = watchroom::sign(order, signing_->key, signing_->certificate);
  if (!bytes) return bytes.error();
  return to_base64(*bytes);
}

Result<void> OrderSigner::renew() {
  const std::lock_guard lock{mutex_};
  if (!authority_) return fail(Errc::not_found, Retry::never, "there is no authority");
  return make();
}

/// Key and certificate in one file, so that a power cut cannot leave a pair that does not fit.
Result<void> OrderSigner::load() {
  const auto text = read_whole(file_, longest_file);
  if (!text && text.error().code == Errc::not_found) return make();
  if (!text) return text.error();
  auto key = SigningKey::load(file_);
  if (!key) return key.error();
  const x509::Certificate certificate = x509::certificate_of_pem(*text);
  if (!certificate || !authority_->issuer().has_signed(*certificate)) return make();
  const auto since = x509::seconds_of(*X509_get0_notBefore(certificate.get()));
  signing_ =
      Signing{*std::move(key), x509::der_of(*certificate), from_ms(since.value_or(0) * 1000) + life * 2 / 3};
  return {};
}

Result<void> OrderSigner::make() {
  const Timestamp now = clock_.now();
  CertificatePlan plan;
  plan.common_name = host_id_;
  plan.use = CertificatePlan::Use::signer;
  plan.not_before = now - backdated;
  plan.not_after = now + life;
  auto made = authority_->issue(plan, "signer");
  AuditEvent event{.who = "system", .action = "signing.renew", .object = host_id_};
  if (!made) {
    event.outcome = Outcome::failed;
    event.detail = made.error().text;
    trail_.record(std::move(event));
    return made.error();
  }
  if (auto written = replace_file(file_, made->key_pem + made->certificate_pem); !written) return written;
  trail_.record(std::move(event));
  auto key = SigningKey::load(file_);
  if (!key) return key.error();
  signing_ = Signing{*std::move(key), x509::der_of(*made->certificate), now + life * 2 / 3};
  return {};
}

}  // namespace watchroom::aggregator
