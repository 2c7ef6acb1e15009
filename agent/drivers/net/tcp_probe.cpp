// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/tcp_probe.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include "agent/drivers/net/own_fault.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto stop_asked = 100ms;  // how often a wait looks whether it shall stop

class Attempt {
 public:
  explicit Attempt(const TcpTarget& target) : target_{target}, began_{steady_clock::now()} {
    socket_ = ::socket(target.address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) {
      finding_.not_asked = fail(Errc::not_connected, Retry::later, "no socket: {}", std::strerror(errno));
      is_over_ = true;
      return;
    }
    if (::connect(socket_, target.address.get(), target.address.size) == 0)
      end(0);
    else if (errno != EINPROGRESS)
      end(errno);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() {
    if (socket_ >= 0) ::close(socket_);
  }

  bool is_over() const { return is_over_; }
  int socket() const { return socket_; }
  Finding& finding() { return finding_; }
  steady_clock::time_point deadline() const { return began_ + target_.timeout; }

  void take_event() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    end(error);
  }
  void give_up() {
    judge(fmt::format("no answer within {} ms", target_.timeout.count()));
    is_over_ = true;
  }

 private:
  void end(int error) {
    is_over_ = true;
    if (error == 0) {
      finding_.is_up = true;
      finding_.response_ms = milliseconds(steady_clock::now() - began_);
    } else if (error == ECONNREFUSED) {
      finding_.reason = "connection refused";
    } else if (error == ENETUNREACH) {
      finding_.not_asked = fail(Errc::not_connected, Retry::later, "no way to ask {}: {}",
                                target_.address.text(), std::strerror(error));
    } else {
      judge(std::strerror(error));
    }
  }
  /// Down, unless it was us.
  void judge(std::string reason) {
    finding_.not_asked = own_fault(target_.address);
    finding_.reason = std::move(reason);
  }

  const TcpTarget& target_;
  steady_clock::time_point began_;
  int socket_ = -1;
  bool is_over_ = false;
  Finding finding_;
};

}  // namespace

void connect_to(std::span<const TcpTarget> targets, const std::stop_token& stop, const Found& found) {
  std::vector<std::unique_ptr<Attempt>> attempts;  // null: told
  for (const TcpTarget& target : targets) attempts.push_back(std::make_unique<Attempt>(target));
  while (!stop.stop_requested()) {
    std::vector<pollfd> watched;
    std::vector<Attempt*> waiting;
    auto wake = steady_clock::now() + stop_asked;
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      auto& attempt = attempts[i];
      if (attempt && !attempt->is_over() && attempt->deadline() <= steady_clock::now()) attempt->give_up();
      if (attempt && attempt->is_over()) {
        found(i, std::move(attempt->finding()));
        attempt.reset();
      }
      if (!attempt) continue;
      watched.push_back({attempt->socket(), POLLOUT, 0});
      waiting.push_back(attempt.get());
      wake = std::min(wake, attempt->deadline());
    }
    if (waiting.empty()) return;
    const auto longest = std::chrono::ceil<std::chrono::milliseconds>(wake - steady_clock::now());
    ::poll(watched.data(), watched.size(), static_cast<int>(std::max(longest, 0ms).count()));
    for (std::size_t i = 0; i < watched.size(); ++i)
      if (watched[i].revents != 0) waiting[i]->take_event();
  }
}

}  // namespace watchroom::agent
