// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/gate.hpp"

#include "aggregator/identity/first_administrator.hpp"
#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/web/room_json.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::string_view cookie_name = "wr_session";

std::string cookie(std::string_view value, std::int64_t max_age_s) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; Secure; SameSite=Strict", cookie_name, value,
                     max_age_s);
}

std::optional<std::string_view> bearer_token(const Request& request) {
  constexpr std::string_view scheme = "Bearer ";  // case-insensitive: RFC 9110 section 11.1
  const std::string_view header = request.authorization;
  if (header.size() <= scheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i)
    if ((header[i] | 0x20) != (scheme[i] | 0x20)) return std::nullopt;
  return header.substr(scheme.size());
}

}  // namespace

std::string session_text(const Person& person, const std::optional<Timestamp>& expires_at) {
  return to_text(Json{{"user", person.name},
                      {"role", name_of(person.role)},
                      {"expires_at", expires_at ? Json(to_rfc3339(*expires_at)) : Json(nullptr)},
                      {"must_change_password", person.must_change_password},
                      {"has_totp", !person.totp.empty()}});
}

std::string for_log(std::string_view untrusted) { return to_text(Json(untrusted.substr(0, 100))); }

Gate::Gate(Sessions::Limits limits, Users& users, AuditTrail& audit, RefusalTally& refusals,
           const Clock& clock, const Log& log)
    : users_{users},
      audit_{audit},
      refusals_{refusals},
      sessions_{limits, users, clock},
      throttle_{clock},
      pending_totp_{clock},
      repeats_{clock},
      clock_{clock},
      log_{log.tagged("web")} {}

std::optional<Visitor> Gate::identify(const Request& request) {
  if (!request.authorization.empty()) {
    const auto token = bearer_token(request);
    if (!token) return std::nullopt;
    std::string sha256 = sha256_hex(*token);
    auto person = users_.with_token(sha256, clock_.now());
    if (!person) return std::nullopt;
    const auto expires = person->token_expires;
    return Visitor{Visitor::Proof::token, std::move(sha256), *std::move(person), expires};
  }
  const auto id = cookie_named(request.cookie, cookie_name);
  if (!id) return std::nullopt;
  std::string sha256 = sha256_hex(*id);
  auto session = sessions_.use(sha256);
  if (!session) return std::nullopt;
  return Visitor{Visitor::Proof::session, std::move(sha256), std::move(session->person), session->expires_at};
}

bool Gate::is_foreign(const Request& request) {
  if (!request.origin.empty()) return request.origin != "https://" + request.host;
  // Every browser sends Origin with a POST or DELETE (Fetch standard, section 3.2); this one is for the rest.
  return !request.fetch_site.empty() && request.fetch_site != "same-origin" && request.fetch_site != "none";
}

std::optional<Answer> Gate::refusal(const Request& request, const std::optional<Visitor>& visitor,
                                    const Need& need) {
  if (!visitor) {
    record_unknown(request);
    return refuse(Refusal::not_logged_in, "Send the cookie of a log-in or an API token.",
                  "请求须带有登录后的 Cookie 或 API 令牌。");
  }
  const Person& person = visitor->person;
  const bool is_reading = request.method == "GET" || request.method == "HEAD";
  if (visitor->proof == Visitor::Proof::session && !is_reading && is_foreign(request))
    return forbid(request, *visitor, Refusal::foreign_origin,
                  "Only Watchroom's own page may use the log-in's cookie for changes.",
                  "只有 Watchroom 自己的页面可以用登录 Cookie 执行更改。");
  if (person.must_change_password && !need.is_own_session)
    return forbid(request, *visitor, Refusal::password_change_needed,
                  "Set a password of your own first: PUT /api/v1/session/password.",
                  "请先设置自己的密码：PUT /api/v1/session/password。");
  if (need.is_own_session) return std::nullopt;
  if (!person.may(need.action) && may(person.role, need.action))
    return forbid(request, *visitor, Refusal::not_allowed,
                  fmt::format("This token may not do this ({}).", name_of(need.action)),
                  fmt::format("此令牌无权执行此操作（{}）。", name_of(need.action)));
  if (!person.may(need.action))
    return forbid(request, *visitor, Refusal::not_allowed,
                  fmt::format("The role {} may not do this; ask an administrator.", name_of(person.role)),
                  fmt::format("角色“{}”无权执行此操作，请联系管理员。", chinese_name_of(person.role)));
  if (need.whole_house && !person.reach.is_everything())
    return forbid(request, *visitor, Refusal::not_allowed,
                  "This concerns the whole house, and you are responsible for a part of it.",
                  "此操作涉及全部站点，而您只负责其中一部分。");
  return std::nullopt;
}

/// Who claims to be somebody, and is nobody we know.
void Gate::record_unknown(const Request& request) {
  const auto id = cookie_named(request.cookie, cookie_name);
  if (request.authorization.empty() && !id) return;
  if (!request.authorization.empty())
    refusals_.secret(request.authorization, request.address);
  else
    refusals_.session(*id, request.address);
  record_refusal(request, "unknown", "no log-in\n" + throttled_address(request.address),
                 "The token or session is unknown, expired or revoked.");
}

/// A refusal of somebody we know, which is worth an entry.
Answer Gate::forbid(const Request& request, const Visitor& visitor, Refusal refusal,
                    std::string_view detail_en, std::string_view detail_zh) {
  const std::string who = visitor.person.audit_name();
  record_refusal(request, who, fmt::format("{}\n{}\n{}", who, request.method, detail_en), detail_en);
  return refuse(refusal, detail_en, detail_zh);
}

void Gate::record_outside(const Request& request, const Visitor& visitor) {
  const std::string who = visitor.person.audit_name();
  record_refusal(request, who, fmt::format("{}\n{}\noutside", who, request.method),
                 "It is not there, or outside the domains of who asked.");
}

/// Of a kind that repeats one entry a minute. Nothing of a secret: neither the header nor the cookie.
void Gate::record_refusal(const Request& request, const std::string& who, std::string kind,
                          std::string_view reason) {
  const auto passed_over = repeats_.admit(std::move(kind));
  if (!passed_over) return;
  log_.warning("refused: {} {} of {} from {} (origin {}): {}", request.method, for_log(request.path),
               for_log(who), request.address, for_log(request.origin), reason);
  std::string detail{reason};
  if (*passed_over > 0) detail += fmt::format(" {} more since the last entry.", *passed_over);
  constexpr std::size_t longest_path = 200;  // it may come from anybody
  const std::string path = printable(std::string_view{request.path}.substr(0, longest_path));
  audit_.record({.who = who,
                 .from = request.address,
                 .action = "request.refuse",
                 .object = fmt::format("{} {}", request.method, path),
                 .outcome = Outcome::refused,
                 .detail = std::move(detail)});
}

bool Gate::still_may(const Visitor& visitor, Action action) {
  std::optional<Person> person;
  if (visitor.proof == Visitor::Proof::token) {
    person = users_.with_token(visitor.secret_sha256, clock_.now());
  } else if (auto session = sessions_.use(visitor.secret_sha256)) {
    person = std::move(session->person);
  }
  // Whose part of the house has changed begins anew, with what it is now.
  return person && person->may(action) && !person->must_change_password &&
         person->reach == visitor.person.reach;
}

void Gate::record(std::string_view action, std::string who, const Request& request, Outcome outcome,
                  std::string detail) {
  audit_.record({.who = std::move(who),
                 .from = request.address,
                 .action = std::string{action},
                 .outcome = outcome,
                 .detail = std::move(detail)});
}

std::optional<Answer> Gate::throttled(const std::string& name, const Request& request,
                                      std::string_view action) {
  const std::string from = throttled_address(request.address);
  const auto wait = throttle_.admit(name, from);
  if (!wait) return std::nullopt;
  refusals_.password(name, request.address);
  if (const auto passed_over = repeats_.admit("throttled\n" + from)) {
    log_.warning("log-in refused: {} from {}: too many failures, may try again in {} s", for_log(name),
                 request.address, wait->count());
    record(action, name, request, Outcome::refused,
           fmt::format("too many failures, may try again in {} s; {} more from there since the last entry",
                       wait->count(), *passed_over));
  }
  Answer answer = refuse(Refusal::too_many_attempts, fmt::format("Try again in {} s.", wait->count()),
                         fmt::format("请在 {} 秒后重试。", wait->count()));
  answer.headers.emplace_back("Retry-After", std::to_string(wait->count()));
  return answer;
}

namespace {

/// The texts of these keys; nothing when one is missing or no text, or `may_miss` is no text.
std::optional<std::vector<std::string>> texts_of(const Json& body, std::initializer_list<const char*> keys,
                                                 const char* may_miss = "") {
  std::vector<std::string> texts;
  if (!body.is_object()) return std::nullopt;
  for (const char* key : keys) {
    const bool is_there = body.contains(key) && body[key].is_string();
    if (!is_there && (body.contains(key) || std::string_view{key} != may_miss)) return std::nullopt;
    texts.push_back(is_there ? body[key].get<std::string>() : "");
  }
  return texts;
}

}  // namespace

Answer Gate::log_in(const Request& request) {
  constexpr std::string_view action = "session.open";
  if (is_foreign(request))
    return refuse(Refusal::foreign_origin, "Log in on Watchroom's own page.",
                  "请在 Watchroom 自己的页面登录。");
  const auto sent = texts_of(Json::parse(request.body, nullptr, false), {"name", "password", "code"}, "code");
  if (!sent)
    return refuse(Refusal::malformed, R"(Expected {"name": "…", "password": "…"}, and "code" where needed.)",
                  R"(应为 {"name": "…", "password": "…"}，必要时带 "code"。)");
  const std::string &name = sent->at(0), &password = sent->at(1), &code = sent->at(2);
  if (name.size() > 64 || password.size() > longest_password || code.size() > 64)
    return refuse(Refusal::wrong_log_in, "Name or password is too long.", "用户名或密码过长。");

  if (auto refused = throttled(name, request, action)) return *std::move(refused);
  const std::string from = throttled_address(request.address);
  users_.reread_if_changed();
  const auto person = users_.with_password(name, password);
  if (!person) {
    refusals_.password(name, request.address);
    log_.warning("log-in failed: {} from {}", for_log(name), request.address);
    record(action, name, request, Outcome::refused, "wrong name or password");
    return refuse(Refusal::wrong_log_in, "Check both; letters are case-sensitive.",
                  "请检查用户名和密码，区分大小写。");
  }
  if (!person->totp.empty() && code.empty()) {
    throttle_.taken_back(name, from);
    record(action, name, request, Outcome::refused, "the password is right, the one-time code is missing");
    return refuse(Refusal::code_needed, "Send the six digits of your authenticator as \"code\".",
                  "请输入身份验证器显示的六位验证码。");
  }
  if (!person->totp.empty() && !codes_.use(name, person->totp, code, clock_.now())) {
    refusals_.password(name, request.address);
    log_.warning("log-in failed: {} from {}: wrong one-time code", for_log(name), request.address);
    record(action, name, request, Outcome::refused, "the password is right, the one-time code is not");
    return refuse(Refusal::code_needed, "The code is wrong, too old or used already; wait for the next one.",
                  "验证码错误、过期或已使用，请等待下一个。");
  }
  throttle_.succeeded(name, from);
  log_.info("log-in: {} ({}) from {}", for_log(name), name_of(person->role), request.address);
  record(action, name, request, Outcome::done, person->totp.empty() ? "" : "with a one-time code");
  return opened(*person);
}

Answer Gate::change_password(const Visitor& visitor, const Request& request) {
  constexpr std::string_view action = "session.password";
  const std::string& name = visitor.person.name;
  if (visitor.proof == Visitor::Proof::token)
    return refuse(Refusal::malformed, "A token cannot change a password; log in.",
                  "令牌不能更改密码，请登录。");
  const auto sent = texts_of(Json::parse(request.body, nullptr, false), {"old", "new"});
  if (!sent)
    return refuse(Refusal::malformed, R"(Expected {"old": "…", "new": "…"}.)",
                  R"(应为 {"old": "…", "new": "…"}。)");
  const std::string &before = sent->at(0), &after = sent->at(1);
  if (auto refused = throttled(name, request, action)) return *std::move(refused);
  const std::string from = throttled_address(request.address);
  users_.reread_if_changed();
  if (!users_.with_password(name, before)) {
    refusals_.password(name, request.address);
    record(action, name, request, Outcome::refused, "the old password is wrong");
    return refuse(Refusal::wrong_password, "Check it; letters are case-sensitive.",
                  "请检查旧密码，区分大小写。");
  }
  throttle_.succeeded(name, from);
  const auto checked = check_password_rules(name, after);
  if (!checked || after == before)
    return refuse(Refusal::malformed, checked ? "The new password is the old one." : checked.error().text,
                  "新密码须至少 10 个字符、至多 256 字节、不含控制字符、不同于用户名和旧密码。");
  const auto hash = hash_password(after);
  if (!hash) return refuse(hash.error());
  const auto change = [&](UserEntry& user) -> Result<void> {
    user.password = *hash;
    user.must_change_password = false;
    return {};
  };
  if (auto refused = refusal_of_edit(name, action, request, change)) return *std::move(refused);
  if (name == first_administrator_name) forget_first_password(users_.file());
  record(action, name, request, Outcome::done);
  const auto person = users_.named(name);
  if (!person) return refuse(Refusal::failed, "The users file is wrong.", "用户文件有误。");
  return opened(*person);
}

/// A person changes what the users file says of themselves. Nothing: it is done, for the caller to write
/// down.
std::optional<Answer> Gate::refusal_of_edit(const std::string& name, std::string_view action,
                                            const Request& request,
                                            const std::function<Result<void>(UserEntry&)>& change) {
  const auto edited = users_.edit(name, request.address, [&](UsersFile& content) -> Result<void> {
    for (UserEntry& user : content.users)
      if (user.name == name) return change(user);
    return fail(Errc::not_found, Retry::never, "the user has just been removed");
  });
  if (edited) return std::nullopt;
  record(action, name, request, Outcome::failed, edited.error().text);
  log_.error("{} of {} failed: {}", action, for_log(name), edited.error().text);
  if (edited.error().code == Errc::conflict) return refuse(edited.error());
  return refuse(Refusal::failed, "The users file cannot be written; the log says more.",
                "无法写入用户文件，详见服务器日志。");
}

Answer Gate::opened(const Person& person) {
  const Sessions::Opened session = sessions_.open(person);
  Answer answer;
  answer.body = session_text(person, session.expires_at);
  const std::int64_t seconds = (to_ms(session.expires_at) - to_ms(clock_.now())) / 1000;
  answer.headers.emplace_back("Set-Cookie", cookie(session.id, seconds));
  return answer;
}

Answer Gate::log_out(const Visitor& visitor, const Request& request) {
  if (visitor.proof == Visitor::Proof::token)
    return refuse(Refusal::malformed, "An API token has no session to end.", "API 令牌没有可结束的会话。");
  sessions_.close(visitor.secret_sha256);
  log_.info("log-out: {} from {}", for_log(visitor.person.name), request.address);
  record("session.close", visitor.person.name, request, Outcome::done);
  Answer answer;
  answer.status = 204;
  answer.headers.emplace_back("Set-Cookie", cookie("", 0));
  return answer;
}

}  // namespace watchroom::aggregator
