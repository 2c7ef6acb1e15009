// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/order_signer.hpp"

#include <algorithm>

#include "proto/base/base64.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/base/whole_file.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto life = 24h * 365;
constexpr auto backdated = 5min;  // agents' clocks differ a little
constexpr auto pause_after_failure = 1h;
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
  // The offline command writes the file, too: text and key that are read must be of one moment.
  const auto turn = FolderLock::take(file_.parent_path());
  if (!turn) return turn.error();
  if (auto loaded = load(); !loaded) return loaded.error();
  renew_in_time();
  order.issuer = host_id_;
  order.issued = clock_.now();
  order.expires = order.issued + good_for;
  auto bytes = watchroom::sign(order, signing_->key, signing_->certificate);
  if (!bytes) return bytes.error();
  return to_base64(*bytes);
}

/// A full disk must not silence us, nor a clock of the year 2040: what they think of the old key, agents say.
void OrderSigner::renew_in_time() {
  if (clock_.now() < signing_->since + life * 2 / 3 || clock_.steady() < renew_at_) return;
  if (auto made = make("two thirds of its life are over"); !made)  // the audit log has why
    renew_at_ = clock_.steady() + pause_after_failure;
}

Result<Timestamp> OrderSigner::key_since() {
  const std::lock_guard lock{mutex_};
  if (!authority_) return fail(Errc::not_found, Retry::never, "there is no authority");
  const auto turn = FolderLock::take(file_.parent_path());
  if (!turn) return turn.error();
  if (auto loaded = load(); !loaded) return loaded.error();
  return signing_->since;
}

Result<std::string> OrderSigner::renew() {
  const std::lock_guard lock{mutex_};
  if (!authority_) return fail(Errc::not_found, Retry::never, "there is no authority");
  const auto turn = FolderLock::take(file_.parent_path());
  if (!turn) return turn.error();
  if (auto made = make("asked for"); !made) return made.error();
  return x509::serial_of(*x509::certificate_of_der(signing_->certificate));
}

/// Key and certificate in one file, so that a power cut cannot leave a pair that does not fit.
Result<void> OrderSigner::load() {
  const auto text = read_whole(file_, longest_file);
  if (!text && text.error().code == Errc::not_found) return make("there was none");
  if (!text) return text.error();
  if (signing_ && signing_->text == *text) return {};
  const x509::Certificate certificate = x509::certificate_of_pem(*text);
  if (!certificate || !authority_->issuer().has_signed(*certificate))
    return make("the one that was there is not certified by this authority");
  const bool was_replaced = signing_.has_value();
  if (auto used = use(*text); !used) return used;
  audit(was_replaced ? "signing.renew" : "signing.load", Outcome::done,
        was_replaced ? "by authority rotate-signing-key" : "");
  return {};
}

Result<void> OrderSigner::use(const std::string& text) {
  auto key = SigningKey::load(file_);
  if (!key) return key.error();
  const x509::Certificate certificate = x509::certificate_of_pem(text);
  const auto since = x509::seconds_of(*X509_get0_notBefore(certificate.get()));
  signing_ = Signing{*std::move(key), x509::der_of(*certificate), from_ms(since.value_or(0) * 1000), text};
  return {};
}

/// Agents tell by `not_before` which of two keys is the newer, in whole seconds.
Result<void> OrderSigner::make(const std::string& why) {
  const Timestamp now = clock_.now();
  CertificatePlan plan;
  plan.common_name = host_id_;
  plan.use = CertificatePlan::Use::signer;
  plan.not_before = now - backdated;
  plan.not_after = now + life;
  const auto failed = [&](const Error& error) {
    audit("signing.renew", Outcome::failed, error.text);
    return error;
  };
  const auto end = x509::seconds_of(*X509_get0_notAfter(&authority_->issuer().certificate()));
  if (to_ms(now) / 1000 >= end.value_or(0))
    return failed(fail(Errc::conflict, Retry::later,
                       "it is {}, and the authority ended on {}: a new signing key would be void",
                       to_rfc3339(now), to_rfc3339(from_ms(end.value_or(0) * 1000))));
  const auto before = read_whole(file_, longest_file);
  const auto old = x509::certificate_of_pem(before ? *before : "");
  if (old && authority_->issuer().has_signed(*old)) {
    const auto seconds = x509::seconds_of(*X509_get0_notBefore(old.get()));
    plan.not_before = std::max(plan.not_before, from_ms(seconds.value_or(0) * 1000) + 1s);
  }
  if (plan.not_before > now)
    return failed(
        fail(Errc::conflict, Retry::later,
             "the present signing key is of {}, and it is {}: agents would take a new one for older; "
             "set the clock right first, or, if it was wrong when that key was made, remove {}",
             to_rfc3339(plan.not_before - 1s), to_rfc3339(now), file_.string()));
  auto made = authority_->issue(plan, "signer");
  if (!made) return failed(made.error());
  const std::string text = made->key_pem + made->certificate_pem;
  if (auto written = replace_file(file_, text); !written) return failed(written.error());
  if (auto used = use(text); !used) return failed(used.error());
  audit("signing.renew", Outcome::done, why);
  return {};
}

void OrderSigner::audit(const std::string& action, Outcome outcome, const std::string& detail) {
  AuditEvent event{
      .who = "system", .action = action, .object = host_id_, .outcome = outcome, .detail = detail};
  if (outcome == Outcome::done)
    event.detail = fmt::format("serial {}, since {}{}{}",
                               x509::serial_of(*x509::certificate_of_der(signing_->certificate)),
                               to_rfc3339(signing_->since), detail.empty() ? "" : ": ", detail);
  trail_.record(std::move(event));
}

}  // namespace watchroom::aggregator
