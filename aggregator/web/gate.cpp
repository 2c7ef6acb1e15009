// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/gate.hpp"

#include "aggregator/identity/password.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/web/refusal.hpp"
#include "aggregator/web/room_json.hpp"

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
                      {"expires_at", expires_at ? Json(to_rfc3339(*expires_at)) : Json(nullptr)}});
}

std::string for_log(std::string_view untrusted) { return to_text(Json(untrusted.substr(0, 100))); }

Gate::Gate(Sessions::Limits limits, Users& users, const Clock& clock, Log log)
    : users_{users},
      sessions_{limits, users, clock},
      throttle_{clock},
      clock_{clock},
      log_{log.tagged("web")} {}

std::optional<Visitor> Gate::identify(const Request& request) {
  if (!request.authorization.empty()) {
    const auto token = bearer_token(request);
    if (!token) return std::nullopt;
    std::string sha256 = sha256_hex(*token);
    auto person = users_.with_token(sha256);
    if (!person) return std::nullopt;
    return Visitor{Visitor::Proof::token, std::move(sha256), *std::move(person), {}};
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
                                    Action action) {
  if (!visitor)
    return refuse(Refusal::not_logged_in, "Send the cookie of a log-in or an API token.",
                  "请求须带有登录后的 Cookie 或 API 令牌。");
  const bool is_reading = request.method == "GET" || request.method == "HEAD";
  if (visitor->proof == Visitor::Proof::session && !is_reading && is_foreign(request)) {
    log_.warning("refused: {} {} of {} came from the foreign origin {}", request.method,
                 for_log(request.path), for_log(visitor->person.name), for_log(request.origin));
    return refuse(Refusal::foreign_origin,
                  "Only Watchroom's own page may use the log-in's cookie for changes.",
                  "只有 Watchroom 自己的页面可以用登录 Cookie 执行更改。");
  }
  if (!may(visitor->person.role, action)) {
    log_.warning("refused: {} {} is not for {} ({})", request.method, for_log(request.path),
                 for_log(visitor->person.name), name_of(visitor->person.role));
    return refuse(
        Refusal::not_allowed,
        fmt::format("The role {} may not do this; ask an administrator.", name_of(visitor->person.role)),
        fmt::format("角色“{}”无权执行此操作，请联系管理员。", chinese_name_of(visitor->person.role)));
  }
  return std::nullopt;
}

bool Gate::still_may(const Visitor& visitor, Action action) {
  if (visitor.proof == Visitor::Proof::token) {
    const auto person = users_.with_token(visitor.secret_sha256);
    return person && may(person->role, action);
  }
  const auto session = sessions_.use(visitor.secret_sha256);
  return session && may(session->person.role, action);
}

Answer Gate::log_in(const Request& request) {
  if (is_foreign(request))
    return refuse(Refusal::foreign_origin, "Log in on Watchroom's own page.",
                  "请在 Watchroom 自己的页面登录。");
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("name") || !body["name"].is_string() ||
      !body.contains("password") || !body["password"].is_string())
    return refuse(Refusal::malformed, R"(Expected {"name": "…", "password": "…"}.)",
                  R"(应为 {"name": "…", "password": "…"}。)");
  const auto name = body["name"].get<std::string>();
  const auto password = body["password"].get<std::string>();
  if (name.size() > 64 || password.size() > longest_password)
    return refuse(Refusal::wrong_log_in, "Name or password is too long.", "用户名或密码过长。");

  const std::string from = throttled_address(request.address);
  if (const auto wait = throttle_.admit(name, from)) {
    log_.warning("log-in refused: {} from {}: too many failures, may try again in {} s", for_log(name),
                 request.address, wait->count());
    Answer answer = refuse(Refusal::too_many_attempts, fmt::format("Try again in {} s.", wait->count()),
                           fmt::format("请在 {} 秒后重试。", wait->count()));
    answer.headers.emplace_back("Retry-After", std::to_string(wait->count()));
    return answer;
  }
  users_.reread_if_changed();
  const auto person = users_.with_password(name, password);
  if (!person) {
    log_.warning("log-in failed: {} from {}", for_log(name), request.address);
    return refuse(Refusal::wrong_log_in, "Check both; letters are case-sensitive.",
                  "请检查用户名和密码，区分大小写。");
  }
  throttle_.succeeded(name, from);
  log_.info("log-in: {} ({}) from {}", for_log(name), name_of(person->role), request.address);
  return opened(*person);
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
  Answer answer;
  answer.status = 204;
  answer.headers.emplace_back("Set-Cookie", cookie("", 0));
  return answer;
}

}  // namespace watchroom::aggregator
