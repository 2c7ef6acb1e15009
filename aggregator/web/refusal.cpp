// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/refusal.hpp"

#include <array>
#include <cstdlib>

#include "aggregator/web/room_json.hpp"

namespace watchroom::aggregator {
namespace {

struct Row {
  Refusal refusal;
  int status;
  std::string_view word;
  std::string_view title_en, title_zh;
};

constexpr std::array rows{
    Row{Refusal::malformed, 400, "malformed", "The request is not valid", "请求无效"},
    Row{Refusal::not_logged_in, 401, "not_logged_in", "Log in first", "请先登录"},
    Row{Refusal::wrong_log_in, 401, "wrong_log_in", "Name or password is wrong", "用户名或密码错误"},
    Row{Refusal::code_needed, 401, "code_needed", "A one-time code is needed", "需要验证码"},
    Row{Refusal::wrong_password, 403, "wrong_password", "The old password is wrong", "旧密码错误"},
    Row{Refusal::wrong_code, 403, "wrong_code", "The one-time code is wrong", "验证码错误"},
    Row{Refusal::not_allowed, 403, "not_allowed", "You may not do this", "您无权执行此操作"},
    Row{Refusal::password_change_needed, 403, "password_change_needed", "Change your password first",
        "请先更改密码"},
    Row{Refusal::foreign_origin, 403, "foreign_origin", "The request comes from another site",
        "请求来自其他网站"},
    Row{Refusal::not_found, 404, "not_found", "There is no such thing", "未找到"},
    Row{Refusal::wrong_method, 405, "wrong_method", "This method is not possible here", "不支持此方法"},
    Row{Refusal::conflict, 409, "conflict", "It is so already", "状态冲突"},
    Row{Refusal::out_of_reach, 409, "out_of_reach", "It cannot be asked of this device now", "现在无法下发"},
    Row{Refusal::body_too_large, 413, "body_too_large", "The request is too large", "请求内容过大"},
    Row{Refusal::not_json, 415, "not_json", "JSON is expected", "请求内容须为 JSON"},
    Row{Refusal::too_many_attempts, 429, "too_many_attempts", "Too many failed log-ins", "登录失败次数过多"},
    Row{Refusal::header_too_large, 431, "header_too_large", "The request's header is too large",
        "请求头过大"},
    Row{Refusal::failed, 500, "failed", "The server failed", "服务器内部错误"},
    Row{Refusal::busy, 503, "busy", "The server is busy, try again", "服务器繁忙，请稍后重试"},
};

const Row& row_of(Refusal refusal) {
  for (const Row& row : rows)
    if (row.refusal == refusal) return row;
  std::abort();
}

}  // namespace

Answer refuse(Refusal refusal, std::string_view detail_en, std::string_view detail_zh) {
  const Row& row = row_of(refusal);
  Answer answer;
  answer.status = row.status;
  answer.content_type = "application/problem+json; charset=utf-8";
  answer.body = to_text(Json{{"type", fmt::format("urn:watchroom:problem:{}", row.word)},
                             {"title", row.title_en},
                             {"status", row.status},
                             {"detail", detail_en},
                             {"title_zh", row.title_zh},
                             {"detail_zh", detail_zh}});
  if (row.status == 401)
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");  // RFC 9110 section 11.6.1
  if (refusal == Refusal::busy) answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

Answer refuse(const Error& error) {
  switch (error.code) {
    case Errc::not_found: return refuse(Refusal::not_found, error.text, "没有这个对象。");
    case Errc::conflict: return refuse(Refusal::conflict, error.text, "该操作已经完成或已被他人更改。");
    case Errc::invalid: return refuse(Refusal::malformed, error.text, "请求内容无效。");
    case Errc::full:
    case Errc::no_answer:
    case Errc::cancelled: return refuse(Refusal::busy, error.text, "存储暂时没有响应。");
    default: return refuse(Refusal::failed, error.text, "存储失败，详见日志。");
  }
}

}  // namespace watchroom::aggregator
