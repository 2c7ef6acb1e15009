// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/est_client.hpp"

#include <algorithm>

#include <arpa/inet.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "proto/base/base64.hpp"

namespace watchroom::agent {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;
using namespace std::chrono_literals;
constexpr auto as_result = net::as_tuple(net::use_awaitable);

constexpr auto longest_step = 10s;
constexpr auto longest_exchange = 30s;
constexpr std::uint64_t most_body = 64 * 1024;

struct Ask {
  EstAddress to;
  std::string what;         // "cacerts"
  std::string request_der;  // empty: GET
  std::string token;
  std::string ca_pem;  // empty: whoever answers
  std::string certificate_pem, key_pem;
  CertificateTime time;
};

struct Reply {
  unsigned status = 0;
  std::string body;
};

Result<void> trust(SSL_CTX& context, const std::string& pem) {
  const std::unique_ptr<BIO, x509::Release<BIO_free_all>> bio{
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  int count = 0;
  while (true) {
    const x509::Certificate one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!one) break;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), one.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return fail(Errc::invalid, Retry::never, "there is no CA certificate to trust");
  return {};
}

Result<void> prepare(net::ssl::context& context, PeerJudge& judge, const Ask& ask) {
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (!ask.ca_pem.empty()) {
    if (auto trusted = trust(*context.native_handle(), ask.ca_pem); !trusted) return trusted;
    if (auto watched = judge.watch(*context.native_handle(), ask.to.host); !watched) return watched;
  }
  if (ask.certificate_pem.empty()) return {};
  const auto certificate = x509::certificate_of_pem(ask.certificate_pem);
  const auto key = x509::key_of_pem(ask.key_pem);
  if (!certificate || !key ||
      SSL_CTX_use_cert_and_key(context.native_handle(), certificate.get(), key.get(), nullptr, 1) != 1)
    return x509::failure("our own certificate and key");
  return {};
}

class Exchange {
 public:
  explicit Exchange(const Ask& ask) : ask_{ask}, judge_{ask.time} {}

  Result<Reply> run() {
    if (auto ready = prepare(tls_, judge_, ask_); !ready) return ready.error();
    net::co_spawn(io_, talk(), [](const std::exception_ptr&) {});
    io_.run_for(longest_exchange);
    io_.stop();
    return std::move(result_);
  }

 private:
  using Stream = beast::ssl_stream<beast::tcp_stream>;

  net::awaitable<void> talk() {
    tcp::resolver resolver{io_};
    const auto [unknown, places] = co_await resolver.async_resolve(ask_.to.host, ask_.to.port, as_result);
    if (unknown) co_return give_up(Errc::not_connected, unknown.message());
    Stream stream{io_, tls_};
    auto& transport = beast::get_lowest_layer(stream);
    transport.expires_after(longest_step);
    const auto [refused, place] = co_await transport.async_connect(places, as_result);
    if (refused) co_return give_up(Errc::not_connected, refused.message());
    name_host(stream);
    transport.expires_after(longest_step);
    const auto [untrusted] = co_await stream.async_handshake(net::ssl::stream_base::client, as_result);
    if (untrusted)
      co_return give_up(Errc::not_authorized,
                        judge_.refusal().empty()
                            ? untrusted.message()
                            : fmt::format("the centre's certificate is refused: {}", judge_.refusal()));
    const std::string request = text();
    transport.expires_after(longest_step);
    const auto [unsent, sent] = co_await net::async_write(stream, net::buffer(request), as_result);
    if (unsent) co_return give_up(Errc::not_connected, unsent.message());
    beast::flat_buffer buffer{most_body + 16 * 1024};
    http::response_parser<http::string_body> parser;
    parser.body_limit(most_body);
    transport.expires_after(longest_step);
    const auto [unread, count] = co_await http::async_read(stream, buffer, parser, as_result);
    if (unread) co_return give_up(Errc::no_answer, unread.message());
    result_ = Reply{parser.get().result_int(), parser.get().body()};
  }

  void name_host(Stream& stream) {
    SSL* const native = stream.native_handle();
    unsigned char parsed[sizeof(in6_addr)];
    const bool is_address = ::inet_pton(AF_INET, ask_.to.host.c_str(), parsed) == 1 ||
                            ::inet_pton(AF_INET6, ask_.to.host.c_str(), parsed) == 1;
    // What SSL_set_tlsext_host_name does; the macro has an old cast inside.
    if (!is_address)
      SSL_ctrl(native, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(ask_.to.host.c_str()));
    if (ask_.ca_pem.empty()) stream.set_verify_mode(net::ssl::verify_none);
  }

  std::string text() const {
    const bool is_v6 = ask_.to.host.find(':') != std::string::npos;
    std::string head =
        fmt::format("{} /.well-known/est/{} HTTP/1.1\r\nHost: {}{}{}:{}\r\nConnection: close\r\n",
                    ask_.request_der.empty() ? "GET" : "POST", ask_.what, is_v6 ? "[" : "", ask_.to.host,
                    is_v6 ? "]" : "", ask_.to.port);
    if (!ask_.token.empty()) {
      std::string proof = to_base64("agent:" + ask_.token);
      std::erase(proof, '\n');
      head += fmt::format("Authorization: Basic {}\r\n", proof);
    }
    if (ask_.request_der.empty()) return head + "\r\n";
    const std::string body = to_base64(ask_.request_der);
    return head + fmt::format(
                      "Content-Type: application/pkcs10\r\nContent-Transfer-Encoding: base64\r\n"
                      "Content-Length: {}\r\n\r\n{}",
                      body.size(), body);
  }

  void give_up(Errc code, const std::string& why) { result_ = fail(code, Retry::later, "{}", why); }

  const Ask& ask_;
  PeerJudge judge_;  // before tls_, which points to it
  net::io_context io_{1};
  net::ssl::context tls_{net::ssl::context::tls_client};
  Result<Reply> result_ = fail(Errc::no_answer, Retry::later, "there was no answer in time");
};

/// One line, however long and strange what a stranger says is.
std::string sentence_of(const std::string& body) {
  std::string line = body.substr(0, std::min<std::size_t>(body.find('\n'), 300));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      '?');
  return line;
}

Result<std::vector<x509::Certificate>> exchange(const Ask& ask) {
  const std::string where = fmt::format("{}:{}", ask.to.host, ask.to.port);
  auto reply = Exchange{ask}.run();
  if (!reply) return in(reply.error(), where);
  if (reply->status != 200)
    return fail(reply->status == 401   ? Errc::not_authorized
                : reply->status == 403 ? Errc::refused
                                       : Errc::no_answer,
                Retry::later, "{}: {} ({})", where, sentence_of(reply->body), reply->status);
  const auto der = from_base64(reply->body);
  if (!der) return fail(Errc::corrupt, Retry::later, "{}: the answer is not base64", where);
  auto certificates = x509::from_pkcs7(*der);
  if (!certificates) return in(certificates.error(), where);
  return certificates;
}

Result<std::string> certificate_from(const Ask& ask) {
  const auto certificates = exchange(ask);
  if (!certificates) return certificates.error();
  return x509::pem_of(*certificates->front());
}

}  // namespace

Result<std::vector<x509::Certificate>> EstClient::authorities_of_a_stranger() const {
  return exchange({address_, "cacerts", "", "", "", "", "", time_()});
}

Result<std::string> EstClient::enrol(const std::string& ca_pem, const std::string& token,
                                     const std::string& request_der) const {
  return certificate_from({address_, "simpleenroll", request_der, token, ca_pem, "", "", time_()});
}

Result<std::string> EstClient::renew(const std::string& ca_pem, const std::string& certificate_pem,
                                     const std::string& key_pem, const std::string& request_der) const {
  return certificate_from(
      {address_, "simplereenroll", request_der, "", ca_pem, certificate_pem, key_pem, time_()});
}

}  // namespace watchroom::agent
