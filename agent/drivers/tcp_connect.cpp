// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// libmodbus connects with select(), which corrupts memory from descriptor 1024 on, to IPv4 only, and not by
// name; so the socket is made here and handed to it.
#include "agent/drivers/tcp_connect.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

int left_ms(Deadline deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

void set_option(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

/// errno when it did not work out.
int finish_connecting(int socket, Deadline deadline, const std::stop_token& stop) {
  // Looked at in slices, so that a stop does not have to wait for a peer that swallows packets.
  constexpr int slice_ms = 100;
  pollfd waiting{socket, POLLOUT, 0};
  while (!stop.stop_requested()) {
    const int ready = ::poll(&waiting, 1, std::min(slice_ms, left_ms(deadline)));
    if (ready < 0 && errno != EINTR) return errno;
    if (ready > 0) {
      int error = 0;
      socklen_t size = sizeof error;
      return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
    }
    if (left_ms(deadline) == 0) return ETIMEDOUT;
  }
  return ECANCELED;
}

Result<int> connect_one(const HostAddress& to, Deadline deadline, const std::stop_token& stop) {
  const int socket = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail(Errc::io, Retry::later, "no socket: {}", std::strerror(errno));
  int error = ::connect(socket, to.get(), to.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) error = finish_connecting(socket, deadline, stop);
  if (error != 0) {
    ::close(socket);
    if (error == ECANCELED) return fail(Errc::cancelled, Retry::never, "stopped");
    return fail(Errc::not_connected, Retry::later, "cannot connect: {}", std::strerror(error));
  }
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  return socket;
}

}  // namespace

Result<int> tcp_connect(const TcpPeer& peer, HostNames& names, std::chrono::milliseconds patience,
                        const std::stop_token& stop) {
  const Deadline deadline = std::chrono::steady_clock::now() + patience;
  auto addresses = names.find(peer.host, stop, std::min(deadline, names.patience_ends()));
  if (!addresses) return addresses.error();
  Result<int> last = fail(Errc::not_connected, Retry::later, "{} has no address", peer.host);
  for (HostAddress& to : *addresses) {
    to.set_port(peer.port);
    last = connect_one(to, deadline, stop);
    if (last || last.error().code == Errc::cancelled) return last;
  }
  return last;
}

}  // namespace watchroom::agent
