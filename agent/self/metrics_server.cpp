// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/metrics_server.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

constexpr unsigned most_connections = 8;
constexpr unsigned connection_timeout_s = 5;
constexpr std::size_t connection_memory_bytes = 8 * 1024;
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

struct SocketAddress {
  sockaddr_storage storage{};

  explicit SocketAddress(const ListenAddress& address) {
    if (address.host.find(':') == std::string::npos) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(static_cast<std::uint16_t>(address.port));
      ::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr);
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(static_cast<std::uint16_t>(address.port));
      ::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  socklen_t size() const { return storage.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
};

/// Bound here, so that the system's own words say why not.
Result<int> listen_on(const ListenAddress& address) {
  const SocketAddress where{address};
  const auto failed = [&] {
    return fail(errno == EADDRINUSE ? Errc::conflict : Errc::io, Retry::later, "{}: {}", address.str(),
                std::strerror(errno));
  };
  const int socket = ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return failed();
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (where.storage.ss_family == AF_INET6) ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (::bind(socket, where.get(), where.size()) != 0 || ::listen(socket, most_connections) != 0) {
    auto error = failed();
    ::close(socket);
    return error;
  }
  return socket;
}

}  // namespace

struct MetricsAnswers {
  static MHD_Result answer(void* self, MHD_Connection* connection, const char* path, const char* method,
                           const char*, const char*, std::size_t*, void**) {
    const std::string_view verb = method;
    if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD)
      return queue(connection, {MHD_HTTP_METHOD_NOT_ALLOWED, plain_text, "only GET and HEAD\n"}, true);
    auto page = static_cast<MetricsServer*>(self)->pages_(path);
    if (!page) page = {MHD_HTTP_NOT_FOUND, plain_text, "there are /metrics and /healthz\n"};
    return queue(connection, *page, false);
  }

  static void log(void* self, const char* format, va_list arguments) {
    char line[256];
    std::vsnprintf(line, sizeof line, format, arguments);
    std::string_view text = line;
    while (text.ends_with('\n')) text.remove_suffix(1);
    static_cast<MetricsServer*>(self)->log_.debug("{}", text);  // what a stranger sends must not fill the log
  }

 private:
  static MHD_Result queue(MHD_Connection* connection, const MetricsPage& page, bool names_methods) {
    MHD_Response* response = MHD_create_response_from_buffer(
        page.text.size(), const_cast<char*>(page.text.data()), MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, std::string{page.content_type}.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (names_methods) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const MHD_Result queued = MHD_queue_response(connection, page.status, response);
    MHD_destroy_response(response);
    return queued;
  }
};

Result<std::unique_ptr<MetricsServer>> MetricsServer::open(const ListenAddress& address, Pages pages,
                                                           Log log) {
  const auto socket = listen_on(address);
  if (!socket) return socket.error();
  std::unique_ptr<MetricsServer> server{new MetricsServer{std::move(pages), std::move(log)}};
  server->daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, &MetricsAnswers::answer, server.get(),
      MHD_OPTION_EXTERNAL_LOGGER, &MetricsAnswers::log, server.get(),  // before what may be logged
      MHD_OPTION_LISTEN_SOCKET, *socket, MHD_OPTION_CONNECTION_LIMIT, most_connections,
      MHD_OPTION_CONNECTION_TIMEOUT, connection_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      connection_memory_bytes, MHD_OPTION_END);
  // The socket is the library's by now, also when it fails.
  if (!server->daemon_)
    return fail(Errc::io, Retry::later, "{}: the HTTP server does not start", address.str());
  const MHD_DaemonInfo* about = MHD_get_daemon_info(server->daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  server->descriptor_ = about ? about->epoll_fd : -1;
  return server;
}

MetricsServer::~MetricsServer() {
  if (daemon_) MHD_stop_daemon(daemon_);  // closes the socket it was given too
}

std::optional<std::chrono::milliseconds> MetricsServer::patience() const {
  MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
  if (MHD_get_timeout(daemon_, &timeout_ms) != MHD_YES) return std::nullopt;
  return std::chrono::milliseconds{static_cast<std::int64_t>(timeout_ms)};
}

void MetricsServer::serve() { MHD_run(daemon_); }

}  // namespace watchroom::agent
