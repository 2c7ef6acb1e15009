// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/client.hpp"

#include <memory>

#include <curl/curl.h>

#include "aggregator/cli/table.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::cli {
namespace {

constexpr std::size_t most_answer = 256u << 20;

struct CurlEnd {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CurlEnd>;
using Headers = std::unique_ptr<curl_slist, CurlEnd>;

std::size_t take(const char* bytes, std::size_t, std::size_t count, void* body_pointer) {
  auto& body = *static_cast<std::string*>(body_pointer);
  if (body.size() + count > most_answer) return 0;
  body.append(bytes, count);
  return count;
}

std::string text_of(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

}  // namespace

Result<Reply> Client::get(const std::string& path) const { return call("GET", path, nullptr); }

Result<Reply> Client::post(const std::string& path, const Json& body) const {
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return call("POST", path, &text);
}

Result<Reply> Client::put(const std::string& path, const Json& body) const {
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return call("PUT", path, &text);
}

Result<Reply> Client::remove(const std::string& path) const { return call("DELETE", path, nullptr); }

Result<Reply> Client::call(const char* method, const std::string& path, const std::string* body) const {
  if (!target_.url.starts_with("https://"))
    return fail(Errc::invalid, Retry::never, "{}{}",
                console_.say("地址必须以 https:// 开头，现为：", "the URL must begin with https://, it is: "),
                target_.url);
  if (target_.token_file.empty())
    return fail(Errc::invalid, Retry::never, "{}",
                console_.say("缺少 --token-file（或 WATCHROOM_TOKEN_FILE）；令牌用 watchroom user token 生成",
                             "--token-file (or WATCHROOM_TOKEN_FILE) is missing; make a token with "
                             "`watchroom user token`"));
  const auto token = read_secret(target_.token_file);
  if (!token) return in(token.error(), console_.say("无法读取令牌文件", "the token file cannot be used"));

  const Curl curl{curl_easy_init()};
  Reply reply;
  char reason[CURL_ERROR_SIZE] = "";
  Headers headers{curl_slist_append(nullptr, ("Authorization: Bearer " + *token).c_str())};
  if (body) curl_slist_append(headers.get(), "Content-Type: application/json");
  std::string url = target_.url;
  while (url.ends_with('/')) url.pop_back();
  curl_easy_setopt(curl.get(), CURLOPT_URL, (url + path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!target_.ca_file.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, target_.ca_file.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, 5L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply.body);
  if (body) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
  }
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return connection_error(code, *reason ? reason : curl_easy_strerror(code));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  reply.json = Json::parse(reply.body, nullptr, false);
  if (reply.status < 200 || reply.status > 299) return server_error(reply);
  if (reply.json.is_discarded() && reply.status != 204)
    return fail(Errc::corrupt, Retry::never, "{}",
                console_.say("服务器的回答不是 JSON；这个地址真的是 Watchroom 吗？",
                             "the server's answer is not JSON; is this address really Watchroom?"));
  return reply;
}

Error Client::connection_error(int curl_code, const std::string& reason) const {
  std::string_view what;
  switch (curl_code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      what = console_.say("服务器证书不可信，请用 --ca-file 指定正确的 CA",
                          "the server's certificate is not trusted, give the right CA with --ca-file");
      break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT: what = console_.say("连不上服务器", "the server cannot be reached"); break;
    default: what = console_.say("与服务器的通信失败", "talking to the server failed");
  }
  return fail(Errc::not_connected, Retry::later, "{}: {} ({})", target_.url, what, reason);
}

Error Client::server_error(const Reply& reply) const {
  const bool is_chinese = console_.language == Language::chinese;
  std::string title = text_of(reply.json, is_chinese ? "title_zh" : "title");
  if (title.empty()) title = fmt::format("HTTP {}", reply.status);
  const std::string detail = text_of(reply.json, is_chinese ? "detail_zh" : "detail");
  if (reply.status == 401)
    return fail(Errc::not_authorized, Retry::never, "{}: {}",
                console_.say("服务器不接受这个令牌（401）", "the server does not accept this token (401)"),
                target_.token_file);
  return fail(Errc::refused, Retry::never, "{}",
              printable(fmt::format("{} ({}): {}", title, reply.status, detail)));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace watchroom::cli
