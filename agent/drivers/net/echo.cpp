// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/echo.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "agent/drivers/net/own_fault.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr auto spacing = 100ms;     // between two echoes to one host
constexpr auto stop_asked = 100ms;  // how often a wait looks whether it shall stop
constexpr int last_sequence = 65535;
constexpr std::size_t sent_between_looks = 32;
constexpr std::uint8_t echo_request_v4 = 8, echo_reply_v4 = 0;      // RFC 792
constexpr std::uint8_t echo_request_v6 = 128, echo_reply_v6 = 129;  // RFC 4443 4

/// What is sent; the kernel gives `identifier` of an unprivileged socket its own value.
struct Packet {
  std::uint8_t type;
  std::uint8_t code;
  std::uint16_t checksum;
  std::uint16_t identifier;
  std::uint16_t sequence;                // network order, as the two above
  std::uint64_t round;                   // an answer to another round, or to another program, is none
  std::array<std::uint8_t, 48> padding;  // 56 bytes of payload, as ping sends
};

/// RFC 1071; the odd byte cannot be.
std::uint16_t checksum_of(const Packet& packet) {
  std::array<std::uint16_t, sizeof(Packet) / 2> words{};
  std::memcpy(words.data(), &packet, sizeof packet);
  std::uint32_t sum = 0;
  for (const std::uint16_t word : words) sum += word;
  while (sum >> 16u) sum = (sum & 0xffffu) + (sum >> 16u);
  return static_cast<std::uint16_t>(~sum);
}

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32u) | device();
}

}  // namespace

IcmpVerdict verdict_of(int family, int type, int code) {
  if (family == AF_INET && type == ICMP_DEST_UNREACH) {  // RFC 792, RFC 1812 5.2.7.1
    if (code == ICMP_NET_UNREACH || code == ICMP_NET_UNKNOWN) return {true, "network unreachable"};
    if (code == ICMP_NET_ANO || code == ICMP_HOST_ANO || code == ICMP_PKT_FILTERED)
      return {true, "communication prohibited"};
    return {false, "host unreachable"};
  }
  if (family == AF_INET6 && type == ICMP6_DST_UNREACH) {  // RFC 4443 3.1
    if (code == ICMP6_DST_UNREACH_NOROUTE) return {true, "no route to the host"};
    if (code == ICMP6_DST_UNREACH_ADMIN) return {true, "communication prohibited"};
    return {false, "host unreachable"};
  }
  const bool is_loop = type == (family == AF_INET ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED);
  return {is_loop, is_loop ? "the packet goes in circles" : "host unreachable"};
}

/// One round of questions.
class EchoRound {
 public:
  EchoRound(EchoSockets& sockets, std::span<const EchoTarget> targets, const Found& found)
      : sockets_{sockets},
        targets_{targets},
        found_{found},
        round_{random_number()},
        states_(targets.size()) {}

  void run(const std::stop_token& stop) {
    begin_ = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      states_[i].sent_at.resize(static_cast<std::size_t>(targets_[i].echoes));
      states_[i].is_waited_for.resize(states_[i].sent_at.size());
      // Numbers go on from round to round, so that an error that comes late is nobody else's.
      if (sockets_.next_sequence_ + targets_[i].echoes > last_sequence) sockets_.next_sequence_ = 1;
      states_[i].sequence = sockets_.next_sequence_;
      sockets_.next_sequence_ += targets_[i].echoes;
    }
    while (!stop.stop_requested()) {
      const auto now = std::chrono::steady_clock::now();
      auto wake = now + stop_asked;
      bool is_over = true;
      for (std::size_t i = 0; i < targets_.size(); ++i) {
        if (states_[i].is_told) continue;
        send_due(i, now);
        if (i % sent_between_looks == 0) receive();  // the socket holds some hundred answers, not a thousand
        if (tell_when_known(i, now)) continue;
        is_over = false;
        wake = std::min(wake, next_event(i));
      }
      if (is_over) return;
      wait(std::max<std::chrono::nanoseconds>(wake - std::chrono::steady_clock::now(), 0ms));
    }
  }

 private:
  struct State {
    int sequence = 0;  // of the first echo
    std::size_t sent = 0;
    std::vector<SteadyTime> sent_at;
    std::vector<bool> is_waited_for;
    int answered = 0;
    std::chrono::nanoseconds total{};
    std::optional<Error> fault = {};
    std::string refusal = {};
    bool is_told = false;
  };

  void send_due(std::size_t index, SteadyTime now) {
    State& state = states_[index];
    while (!state.fault && state.sent < state.sent_at.size() &&
           begin_ + spacing * static_cast<int>(state.sent) <= now) {
      if (const auto sent = send(index, static_cast<int>(state.sent)); !sent) {
        state.fault = sent.error();
        return;
      }
      state.sent_at[state.sent] = std::chrono::steady_clock::now();
      state.is_waited_for[state.sent++] = true;
    }
  }

  Result<void> send(std::size_t index, int echo) {
    const HostAddress& host = targets_[index].address;
    const auto socket = sockets_.open(host.family());
    if (!socket) return socket.error();
    Packet packet{};
    packet.type = host.family() == AF_INET ? echo_request_v4 : echo_request_v6;
    packet.identifier = htons(static_cast<std::uint16_t>(round_));
    packet.sequence = htons(static_cast<std::uint16_t>(states_[index].sequence + echo));
    packet.round = round_;
    if (host.family() == AF_INET) packet.checksum = checksum_of(packet);
    // A second time, for an error of an earlier packet to somebody else is told at the next send.
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (::sendto(socket->descriptor, &packet, sizeof packet, 0, host.get(), host.size) >= 0) return {};
      const int error = errno;
      receive_errors(*socket, host.family());
      if (attempt == 0) continue;
      if (auto fault = own_fault(host)) return *std::move(fault);
      return fail(Errc::not_connected, Retry::later, "no way to ask {}: {}", host.text(),
                  std::strerror(error));
    }
    return {};
  }

  bool tell_when_known(std::size_t index, SteadyTime now) {
    State& state = states_[index];
    const EchoTarget& target = targets_[index];
    const bool is_waiting = std::ranges::count(state.is_waited_for, true) > 0;
    const bool is_over = state.fault || (state.sent == state.sent_at.size() &&
                                         (!is_waiting || now >= state.sent_at.back() + target.timeout));
    if (!is_over) return false;
    state.is_told = true;
    Finding finding;
    finding.is_up = state.answered > 0;
    if (finding.is_up) finding.response_ms = milliseconds(state.total / state.answered);
    if (!finding.is_up && !state.fault) state.fault = own_fault(target.address);
    if (!finding.is_up) finding.not_asked = state.fault;
    finding.loss_percent = 100.0 * (1.0 - static_cast<double>(state.answered) / target.echoes);
    if (!finding.is_up)
      finding.reason =
          state.refusal.empty() ? fmt::format("no answer to {} echoes", target.echoes) : state.refusal;
    found_(index, std::move(finding));
    return true;
  }

  SteadyTime next_event(std::size_t index) const {
    const State& state = states_[index];
    if (state.sent < state.sent_at.size()) return begin_ + spacing * static_cast<int>(state.sent);
    return state.sent_at.back() + targets_[index].timeout;
  }

  void wait(std::chrono::nanoseconds longest) {
    std::array<pollfd, 2> watched{};
    nfds_t count = 0;
    for (const auto& socket : {sockets_.v4_, sockets_.v6_})
      if (socket.descriptor >= 0) watched[count++] = {socket.descriptor, POLLIN, 0};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest);
    const timespec time{seconds.count(), (longest - seconds).count()};
    if (::ppoll(watched.data(), count, &time, nullptr) <= 0) return;
    receive();
  }

  void receive() {
    for (const auto& [socket, family] :
         {std::pair{sockets_.v4_, AF_INET}, std::pair{sockets_.v6_, AF_INET6}}) {
      if (socket.descriptor < 0) continue;
      receive_errors(socket, family);
      receive_answers(socket, family);
    }
  }

  void receive_answers(const EchoSockets::Socket& socket, int family) {
    std::array<std::uint8_t, 2048> buffer{};
    while (true) {
      HostAddress from;
      from.size = sizeof from.storage;
      const auto length = ::recvfrom(socket.descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&from.storage), &from.size);
      if (length < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        receive_errors(socket, family);  // the error of a packet, told here and gone
        continue;
      }
      if (length < 0) return;
      std::size_t at = 0;
      if (family == AF_INET && socket.is_raw) at = (buffer[0] & 0x0fu) * 4u;  // the IP header (RFC 791 3.1)
      if (static_cast<std::size_t>(length) < at + sizeof(Packet)) continue;
      Packet packet{};
      std::memcpy(&packet, buffer.data() + at, sizeof packet);
      if (packet.type == (family == AF_INET ? echo_reply_v4 : echo_reply_v6) && packet.round == round_)
        take_answer(ntohs(packet.sequence), from);
    }
  }

  void take_answer(int sequence, const HostAddress& from) {
    const auto [index, echo] = echo_of(sequence);
    if (index >= targets_.size() || !targets_[index].address.is_same_host(from)) return;
    State& state = states_[index];
    if (!state.is_waited_for[echo]) return;
    state.is_waited_for[echo] = false;
    state.total += std::chrono::steady_clock::now() - state.sent_at[echo];
    ++state.answered;
  }

  /// The kernel keeps what routers, or itself, told of packets that could not be delivered.
  void receive_errors(const EchoSockets::Socket& socket, int family) {
    while (true) {
      std::array<std::uint8_t, 512> quoted{};
      alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
      HostAddress to;
      iovec data{quoted.data(), quoted.size()};
      msghdr message{};
      message.msg_name = &to.storage;
      message.msg_namelen = sizeof to.storage;
      message.msg_iov = &data;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const auto length = ::recvmsg(socket.descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
      if (length < 0) return;
      to.size = message.msg_namelen;
      if (length < 8) continue;  // less than the head of our echo
      std::uint16_t sequence = 0;
      std::memcpy(&sequence, quoted.data() + 6, sizeof sequence);
      for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        const bool is_error = (part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVERR) ||
                              (part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_RECVERR);
        if (!is_error) continue;
        sock_extended_err error{};
        std::memcpy(&error, CMSG_DATA(part), sizeof error);
        HostAddress teller;  // its address follows, as ip(7) says of SO_EE_OFFENDER
        teller.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        if (part->cmsg_len >= CMSG_LEN(sizeof error + teller.size))
          std::memcpy(&teller.storage, CMSG_DATA(part) + sizeof error, teller.size);
        take_error(ntohs(sequence), to, error, teller);
      }
    }
  }

  void take_error(int sequence, const HostAddress& to, const sock_extended_err& error,
                  const HostAddress& teller) {
    const auto [index, echo] = echo_of(sequence);
    if (index >= targets_.size() || !targets_[index].address.is_same_host(to)) return;
    State& state = states_[index];
    state.is_waited_for[echo] = false;
    if (error.ee_origin == SO_EE_ORIGIN_LOCAL) return;
    const IcmpVerdict verdict = verdict_of(to.family(), error.ee_type, error.ee_code);
    if (verdict.is_path_at_fault)
      state.fault = fail(Errc::not_connected, Retry::later, "no way to ask {}: {} says: {}", to.text(),
                         teller.text(), verdict.text);
    else
      state.refusal = verdict.text;
  }

  struct Echo {
    std::size_t target;
    std::size_t echo;
  };
  /// A target beyond the last: it is none of ours.
  Echo echo_of(int sequence) const {
    const auto is_his = [&](const State& state) {
      return sequence >= state.sequence && sequence < state.sequence + static_cast<int>(state.sent);
    };
    const auto state = std::ranges::find_if(states_, is_his);
    if (state == states_.end()) return {targets_.size(), 0};
    return {static_cast<std::size_t>(state - states_.begin()),
            static_cast<std::size_t>(sequence - state->sequence)};
  }

  EchoSockets& sockets_;
  std::span<const EchoTarget> targets_;
  const Found& found_;
  std::uint64_t round_;
  std::vector<State> states_;
  SteadyTime begin_{};
};

EchoSockets::~EchoSockets() {
  for (const Socket& socket : {v4_, v6_})
    if (socket.descriptor >= 0) ::close(socket.descriptor);
}

void EchoSockets::ask(std::span<const EchoTarget> targets, const std::stop_token& stop, const Found& found) {
  EchoRound{*this, targets, found}.run(stop);
}

Result<EchoSockets::Socket> EchoSockets::open(int family) {
  Socket& socket = family == AF_INET ? v4_ : v6_;
  if (socket.descriptor >= 0) return socket;
  const int protocol = family == AF_INET ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
  socket.descriptor = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
  socket.is_raw = socket.descriptor < 0 && (errno == EACCES || errno == EPERM || errno == EPROTONOSUPPORT);
  if (socket.is_raw) socket.descriptor = ::socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (socket.descriptor < 0 && (errno == EACCES || errno == EPERM))
    return fail(
        Errc::not_connected, Retry::later,
        "no permission to send ICMP echoes: put the agent's group into sysctl net.ipv4.ping_group_range, "
        "or give the program CAP_NET_RAW");
  if (socket.descriptor < 0)
    return fail(Errc::not_connected, Retry::later, "no socket for ICMP: {}", std::strerror(errno));
  const int on = 1;
  if (family == AF_INET)
    ::setsockopt(socket.descriptor, SOL_IP, IP_RECVERR, &on, sizeof on);
  else
    ::setsockopt(socket.descriptor, SOL_IPV6, IPV6_RECVERR, &on, sizeof on);
  if (socket.is_raw && family == AF_INET) {  // a raw socket hears everybody's; answers are all we want
    const icmp_filter filter{~(1u << echo_reply_v4)};
    ::setsockopt(socket.descriptor, SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
  } else if (socket.is_raw) {
    icmp6_filter filter{};
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(echo_reply_v6, &filter);
    ::setsockopt(socket.descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
  }
  return socket;
}

}  // namespace watchroom::agent
