// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/listener.hpp"

#include <atomic>
#include <list>
#include <map>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "aggregator/web/connection.hpp"

namespace watchroom::aggregator {
namespace {

namespace net = boost::asio;
using tcp = net::ip::tcp;
constexpr auto as_result = net::as_tuple(net::use_awaitable);

/// TLS 1.2 or newer; everything else OpenSSL's defaults of level 2 (Debian), which leave out what is weak.
Result<void> prepare(net::ssl::context& context, const WebSettings& settings) {
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(native,
                   SSL_MODE_RELEASE_BUFFERS);  // 34 kB less for each idle connection: SSL_CTX_set_mode(3)
  boost::system::error_code error;
  context.use_certificate_chain_file(settings.certificate_file.string(), error);
  if (error)
    return fail(Errc::invalid, Retry::never, "{}: not a certificate in PEM: {}",
                settings.certificate_file.string(), error.message());
  context.use_private_key_file(settings.key_file.string(), net::ssl::context::pem, error);
  if (error)
    return fail(Errc::invalid, Retry::never, "{}: not the private key of {}: {}", settings.key_file.string(),
                settings.certificate_file.string(), error.message());
  return {};
}

}  // namespace

class Listener::Inside final : public Connection::Owner {
 public:
  Inside(WebSettings settings, Site& site, Log log)
      : settings_{std::move(settings)}, site_{site}, log_{log.tagged("web")} {}
  ~Inside() override { stop(); }

  Result<void> start() {
    if (auto ready = prepare(tls_, settings_); !ready) return ready;
    if (auto bound = bind(); !bound) return bound;
    spawn(accept());
    spawn(feed());
    spawn(look_around());
    io_thread_ = std::thread{[this] { io_.run(); }};
    return {};
  }

  void stop() {
    if (!io_thread_.joinable()) return;
    net::post(io_, [this] {
      is_stopping_ = true;
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      feed_timer_.cancel();
      look_timer_.cancel();
      for (Connection& connection : connections_) connection.cut();
    });
    io_thread_.join();  // ends when the last coroutine has
    for (Pool& pool : pools_) pool.threads.join();
  }

  std::uint16_t port() const { return port_; }

  WebFigures figures() const {
    return {connection_count_,        stream_count_,         requests_,
            connections_turned_away_, requests_turned_away_, streams_dropped_};
  }

  // Connection::Owner
  net::awaitable<Answer> answer(const Request& request) override {
    ++requests_;
    auto plan = site_.plan(request);
    if (auto* ready = std::get_if<Answer>(&plan)) co_return std::move(*ready);
    auto& work = std::get<Site::Work>(plan);
    Pool& pool = pool_of(work.lane);
    if (pool.pending >= pool.most_pending) {
      ++requests_turned_away_;
      co_return busy();
    }
    ++pool.pending;
    Answer made = co_await net::co_spawn(pool.threads, on_pool(std::move(work.run)), net::use_awaitable);
    --pool.pending;
    co_return made;
  }
  void joined() override {
    ++stream_count_;
    feed_timer_.cancel();  // its full set need not wait for the next tick
  }
  void left(bool was_dropped) override {
    --stream_count_;
    if (was_dropped) ++streams_dropped_;
  }
  const WebSettings& settings() const override { return settings_; }
  const Log& log() const override { return log_; }

 private:
  struct Pool {
    Pool(std::size_t count, std::size_t most) : threads{count}, most_pending{most} {}
    net::thread_pool threads;
    const std::size_t most_pending;
    std::size_t pending = 0;  // I/O thread
  };

  static net::awaitable<Answer> on_pool(std::function<Answer()> run) { co_return run(); }
  using Wanted = std::map<Reach, Feed::Wanted>;
  using Rounds = std::map<Reach, Feed::Round>;
  static net::awaitable<Rounds> on_pool(Site& site, Wanted wanted) { co_return site.feed(wanted); }
  static net::awaitable<void> on_pool(Site& site) {
    site.look_around();
    co_return;
  }

  Pool& pool_of(Lane lane) { return pools_[static_cast<std::size_t>(lane)]; }

  void spawn(net::awaitable<void> work) {
    net::co_spawn(io_, std::move(work), [this](const std::exception_ptr& failure) {
      if (failure) ended_by(failure);
    });
  }

  void ended_by(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      log_.error("a connection or a duty of the web server ended by an exception: {}", error.what());
    }
  }

  Result<void> bind() {
    boost::system::error_code error;
    const tcp::endpoint at{net::ip::make_address(settings_.listen_address), settings_.listen_port};
    acceptor_.open(at.protocol(), error);
    if (!error) acceptor_.set_option(net::socket_base::reuse_address{true}, error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error)
      return fail(Errc::io, Retry::never, "cannot listen on {}:{}: {}", settings_.listen_address,
                  settings_.listen_port, error.message());
    port_ = acceptor_.local_endpoint().port();
    log_.info("listening on https://{}:{}", settings_.listen_address, port_);
    return {};
  }

  net::awaitable<void> accept() {
    bool is_full = false;
    while (!is_stopping_) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (is_stopping_) co_return;
      if (error) {  // out of descriptors, most likely: wait instead of spinning
        log_.error("cannot accept a connection: {}", error.message());
        pause_.expires_after(std::chrono::milliseconds{200});
        co_await pause_.async_wait(as_result);
        continue;
      }
      if (connections_.size() >= settings_.max_connections) {
        ++connections_turned_away_;
        if (!is_full) log_.warning("{} connections are open, more are turned away", connections_.size());
        is_full = true;
        continue;
      }
      is_full = false;
      welcome(std::move(socket));
    }
  }

  void welcome(tcp::socket socket) {
    connections_.emplace_back(std::move(socket), tls_, *this);
    const auto place = std::prev(connections_.end());
    connection_count_ = connections_.size();
    net::co_spawn(io_, place->serve(), [this, place](const std::exception_ptr& failure) {
      if (failure) ended_by(failure);
      connections_.erase(place);
      connection_count_ = connections_.size();
    });
  }

  /// The one timer of all streams.
  net::awaitable<void> feed() {
    while (!is_stopping_) {
      feed_timer_.expires_after(settings_.event_interval);
      co_await feed_timer_.async_wait(as_result);
      if (is_stopping_ || stream_count_ == 0) continue;
      Wanted wanted = ask_streams();
      Rounds rounds = co_await net::co_spawn(pool_of(Lane::memory).threads, on_pool(site_, std::move(wanted)),
                                             net::use_awaitable);
      tell(std::move(rounds));
    }
  }

  void tell(Rounds rounds) {
    struct Texts {
      Connection::Text changes, full;
    };
    // Shared by all who listen and see the same, freed when the slowest has written it.
    std::map<Reach, Texts> texts;
    for (auto& [reach, round] : rounds)
      texts.emplace(reach, Texts{std::make_shared<const std::string>(std::move(round.changes)),
                                 std::make_shared<const std::string>(std::move(round.full))});
    for (Connection& connection : connections_) {
      const Visitor* visitor = connection.listener();
      const auto its = visitor ? texts.find(visitor->person.reach) : texts.end();
      // One that has joined in the meantime is asked in the next round.
      if (its != texts.end()) connection.hear(its->second.changes, its->second.full);
    }
  }

  Wanted ask_streams() {
    Wanted wanted;
    for (Connection& connection : connections_) {
      const Visitor* visitor = connection.listener();
      if (!visitor) continue;
      if (!site_.may_keep_stream(*visitor))
        connection.end_stream();
      else if (connection.asks_for_everything())
        wanted[visitor->person.reach].full = true;
      else
        wanted[visitor->person.reach].changes = true;
    }
    return wanted;
  }

  net::awaitable<void> look_around() {
    while (!is_stopping_) {
      look_timer_.expires_after(settings_.users_check_interval);
      co_await look_timer_.async_wait(as_result);
      if (!is_stopping_)
        co_await net::co_spawn(pool_of(Lane::memory).threads, on_pool(site_), net::use_awaitable);
    }
  }

  const WebSettings settings_;
  Site& site_;
  Log log_;
  net::io_context io_{1};
  net::ssl::context tls_{net::ssl::context::tls_server};
  // By Lane. One argon2id takes 64 MiB, so two at a time are enough.
  std::array<Pool, lane_count> pools_{{{2, 512}, {2, 64}, {2, 16}}};
  tcp::acceptor acceptor_{io_};
  net::steady_timer pause_{io_}, feed_timer_{io_}, look_timer_{io_};
  std::list<Connection> connections_;
  bool is_stopping_ = false;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> connection_count_ = 0, stream_count_ = 0, requests_ = 0,
                             connections_turned_away_ = 0, requests_turned_away_ = 0, streams_dropped_ = 0;
  std::thread io_thread_;
};

Listener::Listener(WebSettings settings, Site& site, Log log)
    : inside_{std::make_unique<Inside>(std::move(settings), site, std::move(log))} {}
Listener::~Listener() = default;
Result<void> Listener::start() { return inside_->start(); }
void Listener::stop() { inside_->stop(); }
std::uint16_t Listener::port() const { return inside_->port(); }
WebFigures Listener::figures() const { return inside_->figures(); }

}  // namespace watchroom::aggregator
