// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/control_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

constexpr std::size_t longest_message = 8192;
constexpr timeval own_patience{2, 0}, client_patience{10, 0};

struct Address {
  sockaddr_un address{};
  socklen_t length = 0;
};

/// By device and inode: one folder has one name, whatever path leads to it.
Result<Address> address_of(const std::filesystem::path& data_dir) {
  struct stat folder {};
  if (::stat(data_dir.c_str(), &folder) != 0)
    return fail(Errc::io, Retry::later, "{}: {}", data_dir.string(), std::strerror(errno));
  const std::string name = fmt::format("watchroom-agent/{}/{}", folder.st_dev, folder.st_ino);
  Address made;
  made.address.sun_family = AF_UNIX;
  std::memcpy(made.address.sun_path + 1, name.data(), name.size());  // a first zero: not in the file system
  made.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return made;
}

const sockaddr* plain(const Address& address) { return reinterpret_cast<const sockaddr*>(&address.address); }

bool is_from(int connection, uid_t owner) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == owner;
}

void set_patience(int connection, const timeval& patience) {
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

std::string received(int connection) {
  std::array<char, longest_message> buffer{};
  const ssize_t size = ::recv(connection, buffer.data(), buffer.size(), 0);
  return size > 0 ? std::string{buffer.data(), static_cast<std::size_t>(size)} : std::string{};
}

bool send_text(int connection, const std::string& text) {
  return ::send(connection, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

}  // namespace

OutputsLock::~OutputsLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> OutputsLock::take(const std::filesystem::path& data_dir) {
  if (descriptor_ >= 0) return {};
  const auto address = address_of(data_dir);
  if (!address) return address.error();
  // Packets: a message is whole or not there.
  const int opened = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (opened < 0) return fail(Errc::io, Retry::later, "no socket: {}", std::strerror(errno));
  if (::bind(opened, plain(*address), address->length) != 0) {
    const int why = errno;
    ::close(opened);
    return fail(why == EADDRINUSE ? Errc::conflict : Errc::io, Retry::later,
                "the outputs of {} are in other hands: {}", data_dir.string(), std::strerror(why));
  }
  descriptor_ = opened;
  return {};
}

ControlSocket::ControlSocket(const OutputsLock& lock, Answer answer, Log log)
    : listening_{lock.descriptor()}, answer_{std::move(answer)}, log_{std::move(log)} {
  if (listening_ < 0 || ::listen(listening_, 8) != 0) {
    log_.error("inhibit and reset cannot be commanded: {}", std::strerror(errno));
    return;
  }
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  thread_ = std::thread{[this] { run(); }};
}

ControlSocket::~ControlSocket() {
  if (!thread_.joinable()) return;
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(wake_);
}

void ControlSocket::run() {
  while (true) {
    std::array<pollfd, 2> awaited{pollfd{listening_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
    if (::poll(awaited.data(), awaited.size(), -1) < 0 && errno != EINTR) return;
    if (awaited[1].revents != 0) return;
    const int connection = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    serve(connection);
    ::close(connection);
  }
}

void ControlSocket::serve(int connection) {
  set_patience(connection, own_patience);
  if (!is_from(connection, ::geteuid())) {
    log_.warning("a command of another user was refused");
    return;
  }
  const std::string request = received(connection);
  if (!request.empty()) send_text(connection, answer_(request));
}

Result<std::string> ask_running_agent(const std::filesystem::path& data_dir, const std::string& request) {
  const auto address = address_of(data_dir);
  if (!address) return address.error();
  const int connection = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (connection < 0) return fail(Errc::io, Retry::later, "no socket: {}", std::strerror(errno));
  set_patience(connection, client_patience);
  Result<std::string> reply = fail(Errc::no_answer, Retry::later,
                                   "采集程序没有应答（只有 root 和它自己的用户可以） the agent does not "
                                   "answer: only root and its own user may ask");
  struct stat folder {};
  if (::connect(connection, plain(*address), address->length) != 0) {
    reply = fail(Errc::not_connected, Retry::later,
                 "{} 上没有运行中的、带输出的采集程序 no agent with outputs is running on {}",
                 data_dir.string(), data_dir.string());
  } else if (::stat(data_dir.c_str(), &folder) != 0 || !is_from(connection, folder.st_uid)) {
    // Anybody can give a socket this name while no agent runs.
    reply = fail(Errc::not_authorized, Retry::never,
                 "应答者不是该数据目录的采集程序 what answers is not the agent of {}", data_dir.string());
  } else if (send_text(connection, request)) {
    if (std::string told = received(connection); !told.empty()) reply = std::move(told);
  }
  ::close(connection);
  return reply;
}

}  // namespace watchroom::agent
