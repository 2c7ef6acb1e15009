// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/est.hpp"

#include <algorithm>

#include "aggregator/authority/basic_password.hpp"
#include "proto/base/base64.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view base = "/.well-known/est/";
// Of one agent in a day; one that cannot store what it gets asks ten times. Each is a certificate on record
// and an entry of the audit log: whoever has stolen one must not fill the disk with them.
constexpr int most_renewals = 20;

EstAnswer refuse(int status, std::string sentence) {
  EstAnswer answer;
  answer.status = status;
  answer.body = std::move(sentence) + "\n";
  return answer;
}

/// RFC 7030 section 4.1.3 and 4.2.3; the line ends of the base64 are as RFC 8951 leaves them.
EstAnswer certificates(const Result<std::string>& pkcs7) {
  if (!pkcs7) return refuse(500, "the certificates cannot be packed; the centre's log says more");
  EstAnswer answer;
  answer.content_type = "application/pkcs7-mime; smime-type=certs-only";
  answer.headers.emplace_back("Content-Transfer-Encoding", "base64");
  answer.body = to_base64(*pkcs7);
  return answer;
}

EstAnswer wait_for(std::chrono::seconds time, std::string sentence) {
  EstAnswer answer = refuse(429, fmt::format("{}; wait {} s", sentence, time.count()));
  answer.headers.emplace_back("Retry-After", fmt::format("{}", time.count()));
  return answer;
}

EstAnswer refusal_of(const Error& error) {
  switch (error.code) {
    case Errc::not_authorized: {
      EstAnswer answer = refuse(401, error.text);
      answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"watchroom enrolment\"");
      return answer;
    }
    case Errc::refused: return refuse(403, error.text);
    case Errc::invalid: return refuse(400, error.text);
    default: return refuse(503, "the centre cannot certify at the moment; its log says why");
  }
}

}  // namespace

EstAnswer Est::answer(const EstRequest& request) {
  if (!request.target.starts_with(base))
    return refuse(404, "agents enrol here, below /.well-known/est/ (RFC 7030); people look elsewhere");
  const std::string_view what = std::string_view{request.target}.substr(base.size());
  const bool is_list = what == "cacerts", is_first = what == "simpleenroll",
             is_renewal = what == "simplereenroll";
  if (!is_list && !is_first && !is_renewal)
    return refuse(404, "there are cacerts, simpleenroll and simplereenroll");
  const std::string_view method = is_list ? "GET" : "POST";
  if (request.method != method) {
    EstAnswer answer = refuse(405, fmt::format("{} wants {}", what, method));
    answer.headers.emplace_back("Allow", method);
    return answer;
  }
  if (is_list) return certificates(x509::to_pkcs7({&authority_.issuer().certificate()}));
  return certify(request, is_first);
}

/// Not held up by what strangers behind the same address have failed: TLS has proved the certificate.
EstAnswer Est::renew(const EstRequest& request, const std::string& agent) {
  const auto day = std::min<std::chrono::milliseconds>(24h, authority_.settings().certificate_life);
  const Steady now = clock_.steady();
  Renewals& lately = renewals_[agent];
  if (lately.count == 0 || now - lately.since >= day) lately = {now, 0};
  if (lately.count >= most_renewals) {
    refusals_.secret(request.certificate_der, request.address);
    return wait_for(std::chrono::ceil<std::chrono::seconds>(lately.since + day - now),
                    fmt::format("{} has renewed {} times", agent, lately.count));
  }
  ++lately.count;
  const auto der = from_base64(request.body);
  if (!der) return refuse(400, "the body is not base64");
  const auto made = authority_.renew(request.certificate_der, *der, request.address);
  if (!made) return refusal_of(made.error());
  const auto certificate = x509::certificate_of_der(*made);
  return certificates(x509::to_pkcs7({certificate.get()}));
}

EstAnswer Est::certify(const EstRequest& request, bool is_first) {
  if (!starts_like(request.content_type, "application/pkcs10"))
    return refuse(415, "the body must be of type application/pkcs10, in base64");
  // A client that waits for the challenge has guessed nothing (RFC 7617 section 2).
  if (is_first && request.authorization.empty())
    return refusal_of(fail(Errc::not_authorized, Retry::never,
                           "an enrolment token is needed, as the password of HTTP Basic"));
  if (!is_first)
    if (const auto agent = authority_.may_renew(request.certificate_der)) return renew(request, *agent);
  const std::string& shown = is_first ? request.authorization : request.certificate_der;
  const std::string address = throttled_address(request.address);
  if (const auto wait = throttle_.admit(address, address)) {
    refusals_.secret(shown, request.address);
    return wait_for(*wait, "too many failures from here");
  }
  const auto der = from_base64(request.body);
  if (!der) return refuse(400, "the body is not base64");
  Result<std::string> made = fail(Errc::not_authorized, Retry::never, "");
  if (is_first) {
    const auto password = basic_password(request.authorization);
    if (!password)
      return refusal_of(fail(Errc::not_authorized, Retry::never,
                             "an enrolment token is needed, as the password of HTTP Basic"));
    made = authority_.enrol(*password, *der, request.address);
  } else {
    if (request.certificate_der.empty())
      return refuse(403, "renewal needs the present certificate in the TLS handshake");
    made = authority_.renew(request.certificate_der, *der, request.address);
  }
  if (!made) {
    if (made.error().code == Errc::not_authorized || made.error().code == Errc::refused)
      refusals_.secret(shown, request.address);
    return refusal_of(made.error());
  }
  throttle_.succeeded(address, address);
  const auto certificate = x509::certificate_of_der(*made);
  return certificates(x509::to_pkcs7({certificate.get()}));
}

}  // namespace watchroom::aggregator
