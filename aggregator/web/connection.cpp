// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;
constexpr auto as_result = net::as_tuple(net::use_awaitable);

constexpr std::uint32_t most_header = 16 * 1024;
constexpr std::uint64_t most_body = 64 * 1024;
constexpr auto handshake_timeout = 10s;
constexpr auto write_timeout = 30s;
constexpr auto goodbye_timeout = 2s;
constexpr std::size_t most_unread = 1 << 20;  // bytes a refused client may still be sending

/// On every answer. The page needs nothing from elsewhere, is nobody's frame and tells nobody where it was.
constexpr std::string_view security_headers =
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Strict-Transport-Security: max-age=31536000\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

std::string_view reason_of(int status) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  return {reason.data(), reason.size()};
}

Request request_of(const http::request<http::string_body>& message) {
  Request request;
  const auto field = [&](http::field name) {
    const auto value = message[name];
    return std::string{value.data(), value.size()};
  };
  request.method = std::string{message.method_string().data(), message.method_string().size()};
  request.body = message.body();
  request.cookie = field(http::field::cookie);
  request.authorization = field(http::field::authorization);
  request.origin = field(http::field::origin);
  request.host = field(http::field::host);
  request.content_type = field(http::field::content_type);
  request.if_none_match = field(http::field::if_none_match);
  const auto fetch_site = message["Sec-Fetch-Site"];
  request.fetch_site = std::string{fetch_site.data(), fetch_site.size()};
  return request;
}

/// Nothing: the client is gone, and nobody would read an answer.
std::optional<Answer> refusal_of(const beast::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return refuse(Refusal::header_too_large, "At most 16 kB.", "上限为 16 kB。");
  if (error == http::error::body_limit)
    return refuse(Refusal::body_too_large, "At most 64 kB.", "上限为 64 kB。");
  const bool is_malformed = error.category() == make_error_code(http::error::bad_method).category() &&
                            error != http::error::end_of_stream && error != http::error::partial_message;
  if (is_malformed)
    return refuse(Refusal::malformed, "This is not HTTP/1.1: " + error.message(),
                  "不是有效的 HTTP/1.1 请求。");
  return std::nullopt;
}

std::string head_of(const Answer& answer, std::size_t length, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nServer: watchroom\r\n{}", answer.status,
                                 reason_of(answer.status), security_headers);
  bool has_cache_control = false;
  for (const auto& [name, value] : answer.headers) {
    head += fmt::format("{}: {}\r\n", name, value);
    has_cache_control = has_cache_control || name == "Cache-Control";
  }
  if (!has_cache_control) head += "Cache-Control: no-store\r\n";
  if (answer.stream_to) {
    head += fmt::format("Content-Type: {}\r\nX-Accel-Buffering: no\r\n", answer.content_type);
  } else if (answer.status != 204 && answer.status != 304) {
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", answer.content_type, length);
  }
  return head + (keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

}  // namespace

Answer busy() { return refuse(Refusal::busy, "Too many requests are waiting.", "等待处理的请求过多。"); }

Connection::Connection(net::ip::tcp::socket socket, net::ssl::context& tls, Owner& owner)
    : owner_{owner},
      stream_{std::move(socket), tls},
      buffer_{most_header + most_body},
      wake_{stream_.get_executor()} {
  beast::error_code error;
  const auto peer = beast::get_lowest_layer(stream_).socket().remote_endpoint(error);
  if (error) return;
  const auto address = peer.address();
  is_loopback_ =
      address.is_loopback() || (address.is_v6() && address.to_v6().is_v4_mapped() &&
                                net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).is_loopback());
  address_ = address.to_string();
  beast::get_lowest_layer(stream_).socket().set_option(net::ip::tcp::no_delay{true}, error);
}

void Connection::expect_within(std::chrono::milliseconds time) {
  beast::get_lowest_layer(stream_).expires_after(time);
}

void Connection::cut() {
  if (stage_ != Stage::none) stage_ = Stage::ending;
  wake_.cancel();
  beast::get_lowest_layer(stream_).close();
}

net::awaitable<void> Connection::serve() {
  expect_within(handshake_timeout);
  if (const auto [error] = co_await stream_.async_handshake(net::ssl::stream_base::server, as_result); error)
    co_return;
  while (co_await serve_one() == Next::keep) continue;
  co_await say_goodbye();
}

net::awaitable<Connection::Next> Connection::serve_one() {
  if (buffer_.size() == 0) {
    // An idle connection may wait long, one that has begun to speak may not.
    expect_within(owner_.settings().idle_timeout);
    const auto [error, count] = co_await stream_.async_read_some(buffer_.prepare(4096), as_result);
    if (error) co_return Next::close;
    buffer_.commit(count);
  }
  expect_within(owner_.settings().request_timeout);
  http::request_parser<http::string_body> parser;
  parser.header_limit(most_header);
  parser.body_limit(most_body);
  const auto [error, count] = co_await http::async_read(stream_, buffer_, parser, as_result);
  beast::get_lowest_layer(stream_).expires_never();
  if (error) {
    // Named: as a temporary inside the co_await, g++ 12.2 destroys it twice.
    const Request unread;
    if (auto refused = refusal_of(error)) co_await send(unread, *std::move(refused), false);
    co_return Next::close;
  }
  Request request = request_of(parser.get());
  request.address = address_;
  request.is_loopback = is_loopback_;
  const auto target = parser.get().target();
  if (!split_target({target.data(), target.size()}, request))
    co_return co_await send(request, refuse(Refusal::malformed, "The address is not valid.", "地址无效。"),
                            false);
  Answer answer = co_await owner_.answer(request);
  co_return co_await send(request, std::move(answer), parser.get().keep_alive());
}

net::awaitable<Connection::Next> Connection::send(const Request& request, Answer answer, bool keep_alive) {
  const bool is_head = request.method == "HEAD";
  if (answer.stream_to && !is_head) {
    const std::string stream_head = head_of(answer, 0, false);
    if (co_await write(stream_head)) {
      visitor_ = *std::move(answer.stream_to);
      co_await stream();
    }
    co_return Next::close;
  }
  const std::string_view body = answer.fixed_body.empty() ? std::string_view{answer.body} : answer.fixed_body;
  std::string head = head_of(answer, body.size(), keep_alive);
  const bool has_body = !is_head && answer.status != 304;
  constexpr std::size_t small = 16 * 1024;  // one TLS record
  bool is_sent = false;
  if (has_body && body.size() <= small) {
    head += body;
    is_sent = co_await write(head);
  } else {
    is_sent = co_await write(head);
    if (has_body && is_sent) is_sent = co_await write(body);
  }
  const bool goes_on = is_sent && keep_alive;
  co_return goes_on ? Next::keep : Next::close;
}

/// In pieces, so that the deadline is one for progress, not for the whole.
net::awaitable<bool> Connection::write(std::string_view text) {
  constexpr std::size_t piece = 64 * 1024;
  while (!text.empty()) {
    const std::string_view now = text.substr(0, piece);
    expect_within(write_timeout);
    const auto [error, count] =
        co_await net::async_write(stream_, net::buffer(now.data(), now.size()), as_result);
    if (error) co_return false;
    text.remove_prefix(now.size());
  }
  beast::get_lowest_layer(stream_).expires_never();
  co_return true;
}

const Visitor* Connection::listener() const {
  return stage_ == Stage::none || stage_ == Stage::ending ? nullptr : &visitor_;
}

bool Connection::asks_for_everything() {
  if (stage_ == Stage::joined) stage_ = Stage::asked;
  return stage_ == Stage::asked;
}

void Connection::hear(const Text& changes, const Text& full) {
  if (stage_ == Stage::asked) {
    stage_ = Stage::live;
    push(full);
  } else if (stage_ == Stage::live && !changes->empty()) {
    push(changes);
  }
}

void Connection::push(const Text& text) {
  // The first in line is being written and does not count: a big room must be able to get through.
  if (!backlog_.empty()) backlog_bytes_ += text->size();
  backlog_.push_back(text);
  if (backlog_bytes_ > owner_.settings().max_event_backlog) {
    owner_.log().warning("an event stream to {} was cut: it is {} bytes behind", address_, backlog_bytes_);
    was_dropped_ = true;
    cut();
  }
  wake_.cancel();
}

void Connection::end_stream() {
  stage_ = Stage::ending;
  wake_.cancel();
}

net::awaitable<void> Connection::stream() {
  stage_ = Stage::joined;
  owner_.joined();
  co_await write_events();
  stage_ = Stage::ending;
  owner_.left(was_dropped_);
}

net::awaitable<void> Connection::write_events() {
  while (stage_ != Stage::ending) {
    if (backlog_.empty()) {
      wake_.expires_after(owner_.settings().event_keep_alive);
      const auto [woken] = co_await wake_.async_wait(as_result);
      if (woken) continue;
      if (!co_await write(": still here\n\n")) co_return;
      continue;
    }
    const Text text = backlog_.front();
    if (!co_await write(*text)) co_return;
    backlog_.pop_front();
    if (!backlog_.empty()) backlog_bytes_ -= backlog_.front()->size();
  }
}

/// Ends TLS, then reads what a refused client still sends: closing with unread bytes makes the kernel reset
/// the connection, and the client may never see the answer (RFC 9112 section 9.6).
net::awaitable<void> Connection::say_goodbye() {
  auto& tcp = beast::get_lowest_layer(stream_);
  if (!tcp.socket().is_open()) co_return;
  expect_within(goodbye_timeout);
  co_await stream_.async_shutdown(as_result);
  beast::error_code ignored;
  tcp.socket().shutdown(net::ip::tcp::socket::shutdown_send, ignored);
  buffer_.clear();
  for (std::size_t unread = 0; unread < most_unread;) {
    const auto [error, count] = co_await tcp.async_read_some(buffer_.prepare(16 * 1024), as_result);
    if (error) break;
    unread += count;
  }
  tcp.close();
}

}  // namespace watchroom::aggregator
