// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/est_listener.hpp"

#include <list>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <openssl/err.h>

#include "aggregator/authority/est.hpp"

namespace watchroom::aggregator {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;
using namespace std::chrono_literals;
constexpr auto as_result = net::as_tuple(net::use_awaitable);

constexpr std::uint32_t most_header = 8 * 1024;
constexpr std::uint64_t most_body = 16 * 1024;  // a request for a P-256 key has less than 1 kB
constexpr auto goodbye_timeout = 2s;

// Short, because it cannot be revoked; an agent's clock may be a day behind.
constexpr auto server_life = 24h * 30;
constexpr auto server_backdated = 24h;
constexpr auto server_look = 1h;

/// The certificate shown is judged by the authority, which can say in a sentence what is wrong with it and
/// lets one that ran out renew. TLS has proved by then that its key is in the peer's hands.
int accept_any(int, X509_STORE_CTX*) { return 1; }

std::string reason_of(int status) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  return {reason.data(), reason.size()};
}

std::string text_of(const EstAnswer& answer) {
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nServer: watchroom\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Type: "
      "{}\r\n"
      "Content-Length: {}\r\n",
      answer.status, reason_of(answer.status), answer.content_type, answer.body.size());
  for (const auto& [name, value] : answer.headers) text += fmt::format("{}: {}\r\n", name, value);
  return text + "\r\n" + answer.body;
}

std::optional<EstAnswer> refusal_of(const beast::error_code& error) {
  EstAnswer answer;
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    answer.status = 431, answer.body = "the header is too large: at most 8 kB\n";
  else if (error == http::error::body_limit)
    answer.status = 413, answer.body = "the body is too large: at most 16 kB\n";
  else if (error.category() == make_error_code(http::error::bad_method).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message)
    answer.status = 400, answer.body = "this is not HTTP/1.1\n";
  else
    return std::nullopt;
  return answer;
}

}  // namespace

class EstListener::Inside {
 public:
  Inside(Authority& authority, RefusalTally& refusals, const Clock& clock, Log log, Limits limits)
      : authority_{authority},
        clock_{clock},
        log_{std::move(log)},
        limits_{limits},
        est_{authority, refusals, clock} {}

  Result<void> start() {
    if (auto ready = prepare(); !ready) return ready;
    if (auto bound = bind(); !bound) return bound;
    spawn(accept());
    spawn(keep_certificate());
    thread_ = std::thread{[this] { io_.run(); }};
    return {};
  }

  void stop() {
    if (!thread_.joinable()) return;
    net::post(io_, [this] {
      is_stopping_ = true;
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      timer_.cancel();
      pause_.cancel();
      for (Stream& stream : streams_) beast::get_lowest_layer(stream).close();
    });
    thread_.join();
  }

  std::uint16_t port() const { return port_; }

 private:
  using Stream = beast::ssl_stream<beast::tcp_stream>;

  Result<void> prepare() {
    SSL_CTX* const native = tls_.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
    // A resumed session would skip the proof of the certificate.
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER, accept_any);
    const auto ca = x509::certificate_of_pem(authority_.ca_pem());
    SSL_CTX_add_client_CA(native, ca.get());
    return renew_certificate();
  }

  /// For the connections that come from now on.
  Result<void> renew_certificate() {
    CertificatePlan plan;
    plan.common_name = authority_.settings().names.front().substr(0, 64);
    plan.use = CertificatePlan::Use::server;
    plan.names = authority_.settings().names;
    plan.not_before = clock_.now() - server_backdated;
    plan.not_after = clock_.now() + server_life;
    const auto made = authority_.issuer().issue(plan);
    if (!made) return made.error();
    const auto key = x509::key_of_pem(made->key_pem);
    if (SSL_CTX_use_cert_and_key(tls_.native_handle(), made->certificate.get(), key.get(), nullptr, 1) != 1)
      return x509::failure("the enrolment server's certificate");
    renewed_at_ = clock_.now();
    return {};
  }

  net::awaitable<void> keep_certificate() {
    while (!is_stopping_) {
      timer_.expires_after(server_look);
      co_await timer_.async_wait(as_result);
      const auto age = clock_.now() - renewed_at_;
      if (is_stopping_ || (age < server_life / 3 && age > -server_look)) continue;
      if (auto done = renew_certificate(); !done) log_.error("{}", done.error().text);
    }
  }

  Result<void> bind() {
    const EnrolmentSettings& settings = authority_.settings();
    boost::system::error_code error;
    const tcp::endpoint at{net::ip::make_address(settings.listen_address), settings.listen_port};
    acceptor_.open(at.protocol(), error);
    if (!error) acceptor_.set_option(net::socket_base::reuse_address{true}, error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error)
      return fail(Errc::io, Retry::never, "[enrolment] cannot listen on {}:{}: {}", settings.listen_address,
                  settings.listen_port, error.message());
    port_ = acceptor_.local_endpoint().port();
    log_.info("agents enrol at https://{}:{}", settings.listen_address, port_);
    return {};
  }

  void spawn(net::awaitable<void> work) {
    net::co_spawn(io_, std::move(work), [this](const std::exception_ptr& failure) { ended_by(failure); });
  }

  void ended_by(const std::exception_ptr& failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      log_.error("a connection or a duty of the enrolment server ended by an exception: {}", error.what());
    }
  }

  net::awaitable<void> accept() {
    while (!is_stopping_) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (is_stopping_) co_return;
      if (error) {  // out of descriptors, most likely: wait instead of spinning
        pause_.expires_after(200ms);
        co_await pause_.async_wait(as_result);
        continue;
      }
      if (streams_.size() >= limits_.connections) continue;  // closes it
      streams_.emplace_back(std::move(socket), tls_);
      const auto place = std::prev(streams_.end());
      net::co_spawn(io_, serve(*place), [this, place](const std::exception_ptr& failure) {
        ended_by(failure);
        streams_.erase(place);
      });
    }
  }

  /// One request a connection: an agent comes once a year.
  net::awaitable<void> serve(Stream& stream) {
    auto& transport = beast::get_lowest_layer(stream);
    beast::error_code unknown;
    const auto peer = transport.socket().remote_endpoint(unknown);
    if (unknown) co_return;
    transport.expires_after(limits_.handshake);
    if (const auto [error] = co_await stream.async_handshake(net::ssl::stream_base::server, as_result); error)
      co_return;
    transport.expires_after(limits_.request);
    beast::flat_buffer buffer{most_header + most_body};
    http::request_parser<http::string_body> parser;
    parser.header_limit(most_header);
    parser.body_limit(most_body);
    const auto [error, count] = co_await http::async_read(stream, buffer, parser, as_result);
    std::string text;
    if (error) {
      const auto refused = refusal_of(error);
      if (!refused) co_return;
      text = text_of(*refused);
    } else {
      const EstRequest request = request_of(parser.get(), stream, peer.address().to_string());
      text = text_of(answer_to(request));
    }
    co_await net::async_write(stream, net::buffer(text), as_result);
    co_await say_goodbye(stream, buffer);
  }

  EstAnswer answer_to(const EstRequest& request) {
    try {
      return est_.answer(request);
    } catch (const std::exception& error) {
      log_.error("enrolment: {}", error.what());
      EstAnswer failed;
      failed.status = 500;
      failed.body = "the centre failed; its log says more\n";
      return failed;
    }
  }

  static EstRequest request_of(const http::request<http::string_body>& message, Stream& stream,
                               std::string address) {
    EstRequest request;
    const auto text = [](auto view) { return std::string{view.data(), view.size()}; };
    request.method = text(message.method_string());
    request.target = text(message.target());
    request.content_type = text(message[http::field::content_type]);
    request.authorization = text(message[http::field::authorization]);
    request.body = message.body();
    request.address = std::move(address);
    const x509::Certificate shown{SSL_get1_peer_certificate(stream.native_handle())};
    if (shown) request.certificate_der = x509::der_of(*shown);
    return request;
  }

  /// Reads what a refused client still sends: closing with unread bytes would reset the connection, and the
  /// answer might never be seen (RFC 9112 section 9.6).
  static net::awaitable<void> say_goodbye(Stream& stream, beast::flat_buffer& buffer) {
    auto& transport = beast::get_lowest_layer(stream);
    transport.expires_after(goodbye_timeout);
    co_await stream.async_shutdown(as_result);
    beast::error_code ignored;
    transport.socket().shutdown(tcp::socket::shutdown_send, ignored);
    buffer.clear();
    for (std::size_t unread = 0; unread < 256 * 1024;) {
      const auto [error, count] = co_await transport.async_read_some(buffer.prepare(8 * 1024), as_result);
      if (error) break;
      unread += count;
    }
    transport.close();
  }

  Authority& authority_;
  const Clock& clock_;
  const Log log_;
  const Limits limits_;
  Est est_;
  net::io_context io_{1};
  net::ssl::context tls_{net::ssl::context::tls_server};
  tcp::acceptor acceptor_{io_};
  net::steady_timer timer_{io_}, pause_{io_};
  std::list<Stream> streams_;
  Timestamp renewed_at_{};
  bool is_stopping_ = false;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

EstListener::EstListener(Authority& authority, RefusalTally& refusals, const Clock& clock, Log log,
                         Limits limits)
    : inside_{std::make_unique<Inside>(authority, refusals, clock, std::move(log), limits)} {}
EstListener::EstListener(Authority& authority, RefusalTally& refusals, const Clock& clock, Log log)
    : EstListener{authority, refusals, clock, std::move(log), Limits{}} {}
EstListener::~EstListener() { stop(); }
Result<void> EstListener::start() { return inside_->start(); }
void EstListener::stop() { inside_->stop(); }
std::uint16_t EstListener::port() const { return inside_->port(); }

}  // namespace watchroom::aggregator
