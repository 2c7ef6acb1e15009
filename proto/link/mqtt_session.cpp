// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/mqtt_session.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include <mosquitto.h>
#include <poll.h>
#include <sys/socket.h>

#include "proto/link/identity.hpp"

namespace watchroom {
namespace {

using namespace std::chrono_literals;

// How often a thread that waits looks whether it is to stop.
constexpr auto slice = 200ms;
// A session that ends sooner proves nothing: the pauses go on growing.
constexpr auto proven_after = 5s;

/// libmosquitto's global state, held while any session lives.
class Library {
 public:
  Library() { mosquitto_lib_init(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { mosquitto_lib_cleanup(); }
};

std::string describe(int code) {
  if (code == MOSQ_ERR_ERRNO) return fmt::format("{}", std::strerror(errno));
  return mosquitto_strerror(code);
}

}  // namespace

namespace {

/// Only when all three files are there: one that is not has been told.
void check_files(const SettingsTable& table, const BrokerSettings& settings) {
  std::error_code ignored;
  for (const auto& file : {settings.ca_file, settings.certificate_file, settings.key_file})
    if (!std::filesystem::is_regular_file(file, ignored)) return;
  const auto problems =
      check_identity(settings.ca_file, settings.certificate_file, settings.key_file, std::time(nullptr));
  for (const IdentityProblem& problem : problems) {
    using About = IdentityProblem::About;
    const char* key = problem.about == About::authority     ? "ca_file"
                      : problem.about == About::certificate ? "certificate_file"
                                                            : "key_file";
    if (problem.is_warning)
      table.warn(key, problem.text);
    else
      table.complain(key, problem.text);
  }
}

}  // namespace

BrokerSettings BrokerSettings::read(const SettingsTable& table) {
  BrokerSettings read;
  read.host = table.text("host", {.help = "Name or address of the MQTT broker"});
  read.port = static_cast<int>(
      table.integer("port", {.help = "Its TLS port", .fallback = 8883, .least = 1, .most = 65535}));
  read.ca_file = table.file("ca_file", {.help = "PEM file of the CA that signed the broker's certificate"});
  read.certificate_file =
      table.file("certificate_file", {.help = "PEM file of our own certificate; its CN is our name"});
  read.key_file = table.file("key_file", {.help = "PEM file of our private key"});
  read.keepalive = std::chrono::duration_cast<std::chrono::seconds>(
      table.duration("keepalive_s", {.help = "MQTT keep-alive; a dead peer is noticed after 1.5 times this",
                                     .fallback = 10s,
                                     .least = 5s,
                                     .most = 1200s}));
  read.reconnect_min = table.duration(
      "reconnect_min_ms",
      {.help = "Shortest pause before connecting again", .fallback = 500ms, .least = 10ms, .most = 60s});
  read.reconnect_max = table.duration(
      "reconnect_max_ms",
      {.help = "Longest pause before connecting again", .fallback = 30s, .least = 100ms, .most = 10min});
  if (read.reconnect_max < read.reconnect_min)
    table.reject("reconnect_max_ms", "a pause not shorter than reconnect_min_ms");
  read.connect_timeout = table.duration(
      "connect_timeout_s",
      {.help = "Longest wait for the broker's answer to CONNECT", .fallback = 10s, .least = 1s, .most = 60s});
  check_files(table, read);
  table.finish();
  return read;
}

CertificateTime system_certificate_time() { return {SystemClock{}.now(), true}; }

class MqttSession::Connection {
 public:
  Connection(BrokerSettings settings, std::string client_id, MqttEvents& events, CertificateClock time,
             Log log)
      : settings_{std::move(settings)},
        client_id_{std::move(client_id)},
        events_{events},
        certificate_time_{std::move(time)},
        log_{std::move(log)} {}

  Result<void> start();
  void stop(std::chrono::milliseconds patience);
  void reconnect();
  Result<void> publish(SessionNumber session, const MqttMessage& message);
  Result<void> subscribe(SessionNumber session, const std::vector<std::string>& topics, Qos qos);

 private:
  struct Deleter {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };
  using Client = std::unique_ptr<mosquitto, Deleter>;

  struct Prepared {
    TlsContext tls;  // outlives the client
    Client client;
  };
  Result<Prepared> prepare();
  enum class Outcome { refused, accepted, proven };

  void run();
  /// One attempt and, when it is accepted, its MQTT session until that ends.
  Outcome run_session(SessionNumber session, int failures);
  /// Sends SYN and waits; an error names what is wrong better than TLS would.
  Result<void> open_socket(int failures);
  Result<void> wait_for_socket();
  Outcome loop_until_closed(SessionNumber session);
  Outcome give_up(SessionNumber session, const std::string& reason);
  /// What libmosquitto says of TLS is no more than that it failed.
  std::string why(const std::string& reason) const {
    if (tls_->refusal().empty()) return reason;
    return fmt::format("the broker's certificate is refused: {}", tls_->refusal());
  }
  bool is_stopping();
  /// A pause before the next attempt; false when stopping.
  bool pause(int failures);

  static void on_connect(mosquitto*, void* self, int code);
  static void on_disconnect(mosquitto*, void* self, int code);
  static void on_message(mosquitto*, void* self, const mosquitto_message* message);
  static void on_publish(mosquitto*, void* self, int message_id);

  Library library_;
  const BrokerSettings settings_;
  const std::string client_id_;
  MqttEvents& events_;
  const CertificateClock certificate_time_;
  const Log log_;

  // Guards client_ against replacement while another thread publishes.
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::optional<TlsContext> tls_;  // session thread only; of client_
  Client client_;
  std::atomic<SessionNumber> connected_session_ = 0;  // 0: not connected
  SessionNumber attempted_session_ = 0;               // session thread only
  std::chrono::steady_clock::time_point deadline_;    // session thread only: of the attempt
  bool refused_ = false;                              // session thread only
  std::string reason_;                                // session thread only
  std::atomic<int> unsent_ = 0;
  bool stopping_ = false;  // under mutex_
  std::atomic<bool> abandon_ = false;
  std::thread thread_;
};

Result<MqttSession::Connection::Prepared> MqttSession::Connection::prepare() {
  Client client{mosquitto_new(client_id_.c_str(), true, this)};
  if (!client) return fail(Errc::io, Retry::later, "no memory for an MQTT client");
  mosquitto_threaded_set(client.get(), true);
  auto tls = TlsContext::make({settings_.ca_file, settings_.certificate_file, settings_.key_file},
                              settings_.host, certificate_time_());
  if (!tls) return tls.error();
  // Its own context cannot be told the time; with its "defaults" it refuses every certificate.
  mosquitto_int_option(client.get(), MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  if (const int code = mosquitto_void_option(client.get(), MOSQ_OPT_SSL_CTX, tls->get());
      code != MOSQ_ERR_SUCCESS)
    return fail(Errc::io, Retry::later, "TLS: {}", describe(code));
  // Nagle's pauses would add 40 ms to a short message behind another.
  mosquitto_int_option(client.get(), MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_callback_set(client.get(), on_connect);
  mosquitto_disconnect_callback_set(client.get(), on_disconnect);
  mosquitto_message_callback_set(client.get(), on_message);
  mosquitto_publish_callback_set(client.get(), on_publish);
  return Prepared{*std::move(tls), std::move(client)};
}

Result<void> MqttSession::Connection::start() {
  std::error_code ignored;
  for (const auto& file : {settings_.ca_file, settings_.certificate_file, settings_.key_file})
    if (!std::filesystem::is_regular_file(file, ignored))
      return fail(Errc::invalid, Retry::never, "TLS: there is no file {}", file.string());
  thread_ = std::thread{[this] { run(); }};
  return {};
}

void MqttSession::Connection::stop(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) return;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  {
    std::unique_lock lock{mutex_};
    stopped_.wait_until(lock, deadline, [this] { return unsent_ == 0 || connected_session_ == 0; });
    stopping_ = true;
    stopped_.notify_all();
    if (patience > 0ms && client_ && connected_session_ != 0) {
      mosquitto_disconnect(client_.get());
      stopped_.wait_until(lock, deadline, [this] { return !client_; });
    }
  }
  abandon_ = true;  // a broker that does not close its side must not hold us
  thread_.join();
}

void MqttSession::Connection::run() {
  int failures = 0;
  SessionNumber next = 1;
  while (true) {
    const Outcome outcome = run_session(next, failures);
    if (outcome != Outcome::refused) ++next;
    if (outcome == Outcome::proven) failures = 0;
    if (!pause(failures++)) return;
  }
}

MqttSession::Connection::Outcome MqttSession::Connection::run_session(SessionNumber session, int failures) {
  attempted_session_ = session;
  refused_ = false;
  reason_.clear();
  auto prepared = prepare();
  if (!prepared) return give_up(session, prepared.error().text);
  tls_ = std::move(prepared->tls);
  mosquitto* client = prepared->client.get();
  const MqttMessage will = events_.will(session);
  if (!will.topic.empty())
    mosquitto_will_set(client, will.topic.c_str(), static_cast<int>(will.payload.size()), will.payload.data(),
                       static_cast<int>(will.qos), will.retain);
  {
    const std::lock_guard lock{mutex_};
    if (stopping_) return Outcome::refused;
    client_ = std::move(prepared->client);
    unsent_ = 0;
  }
  deadline_ = std::chrono::steady_clock::now() + settings_.connect_timeout;
  if (auto opened = open_socket(failures); !opened) return give_up(session, why(opened.error().text));
  return loop_until_closed(session);
}

MqttSession::Connection::Outcome MqttSession::Connection::give_up(SessionNumber session,
                                                                  const std::string& reason) {
  {
    const std::lock_guard lock{mutex_};
    client_.reset();
  }
  events_.on_disconnected(session, false, reason);
  return Outcome::refused;
}

Result<void> MqttSession::Connection::open_socket(int failures) {
  // libmosquitto waits for the first address of a name only. Every other attempt leaves out IPv6, so that an
  // address that swallows packets does not hide one that answers.
  const char* from = failures % 2 == 1 ? "0.0.0.0" : nullptr;
  const int code = mosquitto_connect_bind_async(client_.get(), settings_.host.c_str(), settings_.port,
                                                static_cast<int>(settings_.keepalive.count()), from);
  if (code != MOSQ_ERR_SUCCESS) return fail(Errc::not_connected, Retry::later, "{}", describe(code));
  return wait_for_socket();
}

Result<void> MqttSession::Connection::wait_for_socket() {
  pollfd socket{mosquitto_socket(client_.get()), POLLOUT, 0};
  while (::poll(&socket, 1, static_cast<int>(slice.count())) <= 0) {
    if (is_stopping()) return fail(Errc::cancelled, Retry::never, "we are stopping");
    if (std::chrono::steady_clock::now() > deadline_)
      return fail(Errc::no_answer, Retry::later, "{}:{} does not answer", settings_.host, settings_.port);
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  // On loopback the refusal is there at once, and the first attempt to write took the error away.
  if (error == 0 && (socket.revents & POLLHUP)) error = ECONNREFUSED;
  if (error != 0) return fail(Errc::not_connected, Retry::later, "{}", std::strerror(error));
  return {};
}

void MqttSession::Connection::reconnect() {
  const std::lock_guard lock{mutex_};
  if (client_ && connected_session_ != 0) mosquitto_disconnect(client_.get());
}

bool MqttSession::Connection::is_stopping() {
  const std::lock_guard lock{mutex_};
  return stopping_;
}

MqttSession::Connection::Outcome MqttSession::Connection::loop_until_closed(SessionNumber session) {
  std::optional<std::chrono::steady_clock::time_point> connected_at;
  int code = MOSQ_ERR_SUCCESS;
  while (code == MOSQ_ERR_SUCCESS && !refused_ && !abandon_) {
    code = mosquitto_loop(client_.get(), static_cast<int>(slice.count()), 1);
    const auto now = std::chrono::steady_clock::now();
    if (connected_session_ != 0) {
      if (!connected_at) connected_at = now;
    } else if (now > deadline_) {
      reason_ = "the broker accepted the connection but did not answer CONNECT";
      break;
    } else if (is_stopping()) {
      break;
    }
  }
  const bool was_connected = connected_session_.exchange(0) != 0;
  if (reason_.empty()) reason_ = describe(code);
  if (!was_connected) reason_ = why(reason_);
  {
    const std::lock_guard lock{mutex_};
    client_.reset();
    unsent_ = 0;
  }
  stopped_.notify_all();
  events_.on_disconnected(session, was_connected, reason_);
  if (!was_connected) return Outcome::refused;
  const bool has_lasted = connected_at && std::chrono::steady_clock::now() - *connected_at >= proven_after;
  return has_lasted ? Outcome::proven : Outcome::accepted;
}

bool MqttSession::Connection::pause(int failures) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  auto longest = settings_.reconnect_min;
  for (int i = 0; i < failures && longest < settings_.reconnect_max; ++i) longest *= 2;
  longest = std::min(longest, settings_.reconnect_max);
  // Half fixed, half random: a thousand agents do not come back in one second.
  std::uniform_int_distribution<std::int64_t> jitter{longest.count() / 2, longest.count()};
  std::unique_lock lock{mutex_};
  stopped_.wait_for(lock, std::chrono::milliseconds{jitter(random)}, [this] { return stopping_; });
  return !stopping_;
}

Result<void> MqttSession::Connection::publish(SessionNumber session, const MqttMessage& message) {
  const std::lock_guard lock{mutex_};
  if (session != connected_session_ || !client_ || stopping_)
    return fail(Errc::not_connected, Retry::later, "the broker's session has ended");
  ++unsent_;
  const int code = mosquitto_publish(client_.get(), nullptr, message.topic.c_str(),
                                     static_cast<int>(message.payload.size()), message.payload.data(),
                                     static_cast<int>(message.qos), message.retain);
  if (code == MOSQ_ERR_SUCCESS) return {};
  --unsent_;
  return fail(code == MOSQ_ERR_PAYLOAD_SIZE ? Errc::invalid : Errc::not_connected, Retry::later,
              "publish on {}: {}", message.topic, describe(code));
}

Result<void> MqttSession::Connection::subscribe(SessionNumber session, const std::vector<std::string>& topics,
                                                Qos qos) {
  const std::lock_guard lock{mutex_};
  if (session != connected_session_ || !client_ || stopping_)
    return fail(Errc::not_connected, Retry::later, "the broker's session has ended");
  std::vector<char*> pointers;
  pointers.reserve(topics.size());
  for (const auto& topic : topics) pointers.push_back(const_cast<char*>(topic.c_str()));
  const int code = mosquitto_subscribe_multiple(client_.get(), nullptr, static_cast<int>(pointers.size()),
                                                pointers.data(), static_cast<int>(qos), 0, nullptr);
  if (code == MOSQ_ERR_SUCCESS) return {};
  return fail(Errc::not_connected, Retry::later, "subscribe: {}", describe(code));
}

void MqttSession::Connection::on_connect(mosquitto*, void* self, int code) {
  auto& me = *static_cast<Connection*>(self);
  if (code != 0) {
    me.refused_ = true;
    me.reason_ = fmt::format("the broker refused us: {}", mosquitto_connack_string(code));
    return;
  }
  me.connected_session_ = me.attempted_session_;
  me.events_.on_connected(me.attempted_session_);
}

void MqttSession::Connection::on_disconnect(mosquitto*, void* self, int code) {
  auto& me = *static_cast<Connection*>(self);
  if (me.reason_.empty()) me.reason_ = code == 0 ? "we ended it" : describe(code);
}

void MqttSession::Connection::on_message(mosquitto*, void* self, const mosquitto_message* message) {
  auto& me = *static_cast<Connection*>(self);
  me.events_.on_message(
      me.attempted_session_, message->topic,
      {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
}

void MqttSession::Connection::on_publish(mosquitto*, void* self, int) {
  auto& me = *static_cast<Connection*>(self);
  if (--me.unsent_ <= 0) me.stopped_.notify_all();
}

MqttSession::MqttSession(BrokerSettings settings, std::string client_id, MqttEvents& events,
                         CertificateClock time, Log log)
    : connection_{std::make_unique<Connection>(std::move(settings), std::move(client_id), events,
                                               std::move(time), std::move(log))} {}
MqttSession::~MqttSession() { connection_->stop(0ms); }

Result<void> MqttSession::start() { return connection_->start(); }
void MqttSession::stop(std::chrono::milliseconds patience) { connection_->stop(patience); }
void MqttSession::reconnect() { connection_->reconnect(); }
Result<void> MqttSession::publish(SessionNumber session, const MqttMessage& message) {
  return connection_->publish(session, message);
}
Result<void> MqttSession::subscribe(SessionNumber session, const std::vector<std::string>& topics, Qos qos) {
  return connection_->subscribe(session, topics, qos);
}

}  // namespace watchroom
