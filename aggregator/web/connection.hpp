// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "aggregator/web/message.hpp"
#include "aggregator/web/web_settings.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// "Busy", as every refusal.
Answer busy();

/// One client: TLS, then request after request, then perhaps the event stream. Lives on the listener's I/O
/// thread and is destroyed after `serve` has ended.
class Connection {
 public:
  /// What it needs of the listener, which outlives it.
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    virtual boost::asio::awaitable<Answer> answer(const Request& request) = 0;
    virtual void joined() = 0;
    virtual void left(bool was_dropped) = 0;
    virtual const WebSettings& settings() const = 0;
    virtual const Log& log() const = 0;
  };
  // Shared by all who listen to the same round.
  using Text = std::shared_ptr<const std::string>;

  Connection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls, Owner& owner);

  boost::asio::awaitable<void> serve();
  /// Whatever it waits for fails now.
  void cut();

  /// Whose stream it is; null while it is none.
  const Visitor* listener() const;
  /// Whether the stream is new and wants the full set of this round.
  bool asks_for_everything();
  void hear(const Text& changes, const Text& full);
  void end_stream();

 private:
  enum class Next { keep, close };
  enum class Stage { none, joined, asked, live, ending };

  boost::asio::awaitable<Next> serve_one();
  boost::asio::awaitable<Next> send(const Request& request, Answer answer, bool keep_alive);
  boost::asio::awaitable<bool> write(std::string_view text);
  boost::asio::awaitable<void> stream();
  boost::asio::awaitable<void> write_events();
  boost::asio::awaitable<void> say_goodbye();
  void expect_within(std::chrono::milliseconds time);
  void push(const Text& text);

  Owner& owner_;
  boost::beast::ssl_stream<boost::beast::tcp_stream> stream_;
  boost::beast::flat_buffer buffer_;
  boost::asio::steady_timer wake_;
  std::string address_;
  bool is_loopback_ = false;

  Stage stage_ = Stage::none;
  Visitor visitor_;
  std::deque<Text> backlog_;
  std::size_t backlog_bytes_ = 0;
  bool was_dropped_ = false;
};

}  // namespace watchroom::aggregator
