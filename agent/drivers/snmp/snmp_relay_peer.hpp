// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// For tests: stands before an SNMP agent, counts what it is asked, and denies what it is told to.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace watchroom::agent {

class SnmpRelayPeer {
 public:
  /// What to deny: an error-status and the last bytes of the OIDs it is for, as they are encoded.
  struct Denial {
    std::uint8_t error = 0;
    std::vector<std::uint8_t> oid_ends_with{};
    bool names_the_object = true;  ///< by an error-index
  };
  SnmpRelayPeer(int agent_port, std::optional<Denial> denial = {})
      : denial_{std::move(denial)}, front_{socket_at(0, true)}, back_{socket_at(agent_port, false)} {
    thread_ = std::thread{[this] { run(); }};
  }
  SnmpRelayPeer(const SnmpRelayPeer&) = delete;
  SnmpRelayPeer& operator=(const SnmpRelayPeer&) = delete;
  ~SnmpRelayPeer() {
    is_stopping_ = true;
    thread_.join();
    ::close(front_);
    ::close(back_);
  }

  int port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(front_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  int requests() const { return requests_; }

 private:
  using Bytes = std::vector<std::uint8_t>;

  static int socket_at(int port, bool is_ours) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (is_ours ? ::bind : ::connect)(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return socket;
  }

  void run() {
    std::array<std::uint8_t, 65'536> buffer{};
    sockaddr_in asker{};
    while (!is_stopping_) {
      std::array<pollfd, 2> waiting{{{front_, POLLIN, 0}, {back_, POLLIN, 0}}};
      ::poll(waiting.data(), waiting.size(), 20);
      socklen_t size = sizeof asker;
      if (waiting[0].revents != 0) {
        const auto length =
            ::recvfrom(front_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&asker), &size);
        if (length <= 0) continue;
        ++requests_;
        Bytes message{buffer.begin(), buffer.begin() + length};
        if (deny(message))
          ::sendto(front_, message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&asker), size);
        else
          ::send(back_, message.data(), message.size(), 0);
      } else if (waiting[1].revents != 0) {
        const auto length = ::recv(back_, buffer.data(), buffer.size(), 0);
        if (length > 0)
          ::sendto(front_, buffer.data(), static_cast<std::size_t>(length), 0,
                   reinterpret_cast<sockaddr*>(&asker), size);
      }
    }
  }

  struct Part {
    std::size_t at;      // of its tag
    std::size_t begin;   // of its content
    std::size_t length;  // of its content
    std::size_t end() const { return begin + length; }
  };
  static Part part_at(const Bytes& message, std::size_t at) {
    std::size_t length = message[at + 1], begin = at + 2;
    if (length & 0x80u) {
      const std::size_t count = length & 0x7fu;
      length = 0;
      for (std::size_t i = 0; i < count; ++i) length = length << 8 | message[begin++];
    }
    return {at, begin, length};
  }

  /// Makes the request its own refusal (RFC 3416 4.2.1: error-status and error-index, and the rest as it
  /// came).
  bool deny(Bytes& message) const {
    if (!denial_) return false;
    const Part version = part_at(message, part_at(message, 0).begin);
    const Part pdu = part_at(message, part_at(message, version.end()).end());
    const Part request_id = part_at(message, pdu.begin);
    const Part status = part_at(message, request_id.end());
    const Part index = part_at(message, status.end());
    const Part bindings = part_at(message, index.end());
    std::uint8_t place = 1;
    for (std::size_t at = bindings.begin; at < bindings.end(); ++place) {
      const Part binding = part_at(message, at), oid = part_at(message, binding.begin);
      at = binding.end();
      const auto& end = denial_->oid_ends_with;
      const auto last = message.begin() + static_cast<std::ptrdiff_t>(oid.end());
      if (oid.length < end.size() ||
          !std::equal(end.begin(), end.end(), last - static_cast<std::ptrdiff_t>(end.size())))
        continue;
      message[pdu.at] = 0xa2;
      message[status.begin] = denial_->error;
      message[index.begin] = denial_->names_the_object ? place : std::uint8_t{0};
      return true;
    }
    return false;
  }

  const std::optional<Denial> denial_;
  int front_, back_;
  std::atomic<int> requests_ = 0;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;
};

}  // namespace watchroom::agent
