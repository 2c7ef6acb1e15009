// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// A person's own one-time codes: on in two steps, so that nobody is locked out by an authenticator that never
// got the secret; off only with password and code.
#include "aggregator/identity/password.hpp"
#include "aggregator/web/gate.hpp"
#include "aggregator/web/people_json.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::string_view action = "session.totp";

struct Proof {
  std::string password, code;
};

std::optional<Proof> proof_in(const Request& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  const auto is_text = [&](const char* key) { return body.contains(key) && body[key].is_string(); };
  if (!body.is_object() || body.size() != 2 || !is_text("password") || !is_text("code")) return std::nullopt;
  return Proof{body["password"].get<std::string>(), body["code"].get<std::string>()};
}

Answer no_proof() {
  return refuse(Refusal::malformed, R"(Expected {"password": "…", "code": "…"}.)",
                R"(应为 {"password": "…", "code": "…"}。)");
}

}  // namespace

Json to_json(const PendingSecret& pending) {
  return {{"secret", pending.base32},
          {"uri", totp_uri(pending.user, pending.base32)},
          {"expires_at", to_rfc3339(pending.expires_at)}};
}

/// Who may not do this at all, whatever the role.
std::optional<Answer> Gate::refusal_of_totp(const Visitor& visitor, const Request& request) {
  if (visitor.proof == Visitor::Proof::token)
    return forbid(request, visitor, Refusal::not_allowed, "A token cannot change one-time codes; log in.",
                  "令牌不能更改一次性验证码，请登录。");
  // Whoever set that password could put an authenticator of their own before it.
  if (visitor.person.must_change_password)
    return forbid(request, visitor, Refusal::password_change_needed,
                  "Set a password of your own first: PUT /api/v1/session/password.",
                  "请先设置自己的密码：PUT /api/v1/session/password。");
  return std::nullopt;
}

Answer Gate::begin_totp(const Visitor& visitor, const Request& request) {
  if (auto refused = refusal_of_totp(visitor, request)) return *std::move(refused);
  const std::string& name = visitor.person.name;
  if (!visitor.person.totp.empty())
    return refuse(Refusal::conflict, "One-time codes are on already; turn them off first.",
                  "一次性验证码已启用，请先停用。");
  const PendingSecret pending{name, pending_totp_.begin(visitor.secret_sha256),
                              clock_.now() + PendingTotp::forgotten_after};
  record(action, name, request, Outcome::done, "a new secret was shown; it waits for its first code");
  Answer answer;
  answer.body = to_text(to_json(pending));
  return answer;
}

/// Nothing when password and code are right; the code is used then.
std::optional<Answer> Gate::refusal_of_proof(const std::string& name, const std::string& secret,
                                             const Request& request) {
  const auto proof = proof_in(request);
  if (!proof || proof->password.size() > longest_password || proof->code.size() > 64) return no_proof();
  if (auto refused = throttled(name, request, action)) return refused;
  users_.reread_if_changed();
  if (!users_.with_password(name, proof->password)) {
    refusals_.password(name, request.address);
    log_.warning("one-time codes of {} not changed, from {}: wrong password", for_log(name), request.address);
    record(action, name, request, Outcome::refused, "the password is wrong");
    return refuse(Refusal::wrong_password, "Check it; letters are case-sensitive.",
                  "请检查密码，区分大小写。");
  }
  if (!codes_.use(name, secret, proof->code, clock_.now())) {
    refusals_.password(name, request.address);
    log_.warning("one-time codes of {} not changed, from {}: wrong code", for_log(name), request.address);
    record(action, name, request, Outcome::refused, "the password is right, the one-time code is not");
    return refuse(Refusal::wrong_code, "The code is wrong, too old or used already; wait for the next one.",
                  "验证码错误、过期或已使用，请等待下一个。");
  }
  throttle_.succeeded(name, throttled_address(request.address));
  return std::nullopt;
}

Answer Gate::confirm_totp(const Visitor& visitor, const Request& request) {
  if (auto refused = refusal_of_totp(visitor, request)) return *std::move(refused);
  const auto secret = pending_totp_.of(visitor.secret_sha256);
  if (!secret)
    return refuse(
        Refusal::conflict,
        "No secret of this log-in waits for a code, or ten minutes are over: POST /api/v1/session/totp.",
        "此会话没有待确认的密钥，或已超过十分钟：POST /api/v1/session/totp。");
  if (auto refused = refusal_of_proof(visitor.person.name, *secret, request)) return *std::move(refused);
  pending_totp_.forget(visitor.secret_sha256);
  return kept_totp(visitor.person.name, "", *secret, request);
}

Answer Gate::stop_totp(const Visitor& visitor, const Request& request) {
  if (auto refused = refusal_of_totp(visitor, request)) return *std::move(refused);
  const Person& person = visitor.person;
  if (person.totp.empty())
    return refuse(Refusal::conflict, "One-time codes are off already.", "一次性验证码未启用。");
  if (auto refused = refusal_of_proof(person.name, person.totp, request)) return *std::move(refused);
  return kept_totp(person.name, person.totp, "", request);
}

/// The file gets another secret, and whoever asked another session: the old ones end with it.
Answer Gate::kept_totp(const std::string& name, const std::string& before, const std::string& after,
                       const Request& request) {
  const auto change = [&](UserEntry& user) -> Result<void> {
    if (user.totp != before)
      return fail(Errc::conflict, Retry::never, "somebody else has just changed these one-time codes");
    user.totp = after;
    return {};
  };
  if (auto refused = refusal_of_edit(name, action, request, change)) return *std::move(refused);
  record(action, name, request, Outcome::done, after.empty() ? "turned off" : "turned on");
  log_.info("one-time codes of {} are {}", for_log(name), after.empty() ? "off" : "on");
  const auto person = users_.named(name);
  if (!person) return refuse(Refusal::failed, "The users file is wrong.", "用户文件有误。");
  return opened(*person);
}

}  // namespace watchroom::aggregator
