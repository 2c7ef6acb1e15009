// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/line.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/drivers/tcp_connect.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// A serial adapter may hand bytes over in portions (the latency timer of FTDI chips is 16 ms); only a longer
// pause means that the rest will not come.
constexpr auto serial_byte_timeout = 100ms;
constexpr auto longest_babble = 500ms;
// How late a stop may be noticed while waiting.
constexpr auto longest_deafness = 50ms;

// libmodbus waits with select(), whose sets end at FD_SETSIZE; beyond it writes past them.
Result<void> usable(int descriptor) {
  if (descriptor < FD_SETSIZE) return {};
  return fail(Errc::full, Retry::later, "descriptor {} is beyond what libmodbus can wait for ({})",
              descriptor, FD_SETSIZE);
}

std::pair<std::uint32_t, std::uint32_t> seconds_and_micros(std::chrono::microseconds time) {
  const auto count = static_cast<std::uint64_t>(time.count());
  return {static_cast<std::uint32_t>(count / 1'000'000), static_cast<std::uint32_t>(count % 1'000'000)};
}

/// USB adapters collect bytes for some time, the common FTDI chips for 16 ms, unless told not to. What is no
/// such adapter knows nothing of it.
void hand_over_at_once(int descriptor) {
  serial_struct port{};
  if (::ioctl(descriptor, TIOCGSERIAL, &port) != 0) return;
  port.flags |= ASYNC_LOW_LATENCY;
  ::ioctl(descriptor, TIOCSSERIAL, &port);
}

Error receive_error(int error, std::chrono::milliseconds timeout) {
  switch (error) {
    case ETIMEDOUT:
      return fail(Errc::no_answer, Retry::now,
                  "no answer within {} ms: off, unplugged, or another unit number or line setting",
                  timeout.count());
    case EMBBADCRC: return fail(Errc::corrupt, Retry::now, "a reply with a bad checksum");
    case EMBBADDATA:
    case EMBMDATA: return fail(Errc::corrupt, Retry::now, "a reply that is no Modbus frame");
    default: return fail(Errc::not_connected, Retry::now, "the connection broke: {}", modbus_strerror(error));
  }
}

}  // namespace

std::chrono::nanoseconds character_time(const SerialLine& line) {
  const int bits = 1 + line.data_bits + (line.parity == 'N' ? 0 : 1) + line.stop_bits;  // and a start bit
  return std::chrono::nanoseconds{(1'000'000'000LL * bits + line.baud - 1) / line.baud};
}

std::chrono::nanoseconds frame_silence(const SerialLine& line) {
  // Modbus over Serial Line V1.02, 2.5.1.1: fixed above 19 200 baud.
  if (line.baud > 19'200) return 1750us;
  return character_time(line) * 7 / 2;
}

void Line::Lock::reset(int number) {
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

void Line::Free::operator()(modbus_t* context) const {
  modbus_close(context);
  modbus_free(context);
}

Line::Line(const ModbusAddress& address, std::stop_token stop, HostNames* names)
    : address_{address}, stop_{std::move(stop)}, names_{names ? *names : own_names_} {
  if (const auto* serial = std::get_if<SerialLine>(&address_.line)) {
    character_ = character_time(*serial);
    silence_ = frame_silence(*serial);
  }
}

Result<void> Line::open(std::chrono::milliseconds patience) {
  if (const auto* serial = std::get_if<SerialLine>(&address_.line)) {
    auto opened = lock(*serial);
    if (opened) opened = open_serial(*serial);
    if (!opened) lock_.reset();
    return opened;
  }
  return open_tcp(std::get<TcpPeer>(address_.line), patience);
}

/// Held before anything is changed: libmodbus sets the port's speed as it opens it.
Result<void> Line::lock(const SerialLine& line) {
  lock_.reset(::open(line.path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!lock_)
    return fail(Errc::not_connected, Retry::later, "{} cannot be opened: {}", line.path,
                std::strerror(errno));
  if (::flock(lock_.number(), LOCK_EX | LOCK_NB) == 0) return {};
  return fail(Errc::not_connected, Retry::later, "{} is in use by another program, such as a running agent",
              line.path);
}

Result<void> Line::open_serial(const SerialLine& line) {
  std::unique_ptr<modbus_t, Free> context{
      modbus_new_rtu(line.path.c_str(), line.baud, line.parity, line.data_bits, line.stop_bits)};
  if (!context)
    return fail(Errc::invalid, Retry::never, "{} cannot be set up: {}", line.path, modbus_strerror(errno));
  if (modbus_connect(context.get()) != 0)
    return fail(Errc::not_connected, Retry::later, "{} cannot be opened: {}", line.path,
                std::strerror(errno));
  const int descriptor = modbus_get_socket(context.get());
  if (const auto fits = usable(descriptor); !fits) return fits.error();
  hand_over_at_once(descriptor);
  context_ = std::move(context);
  unclean_ = true;
  return {};
}

Result<void> Line::open_tcp(const TcpPeer& peer, std::chrono::milliseconds patience) {
  const auto socket = tcp_connect(peer, names_, patience, stop_);
  if (!socket) return socket.error();
  if (const auto fits = usable(*socket); !fits) {
    ::close(*socket);
    return fits.error();
  }
  // The names are never used: the context only frames replies on the socket it is given.
  context_.reset(address_.framing == ModbusFraming::tcp ? modbus_new_tcp("127.0.0.1", peer.port)
                                                        : modbus_new_rtu("/dev/null", 9600, 'N', 8, 1));
  if (!context_) {
    ::close(*socket);
    return fail(Errc::io, Retry::later, "out of memory");
  }
  modbus_set_socket(context_.get(), *socket);
  return {};
}

/// Throws away what is waiting. False: the other end is gone.
bool Line::drop_input() {
  const int descriptor = modbus_get_socket(context_.get());
  std::array<std::uint8_t, 512> waste{};
  while (true) {
    const ssize_t got = is_serial() ? ::read(descriptor, waste.data(), waste.size())
                                    : ::recv(descriptor, waste.data(), waste.size(), MSG_DONTWAIT);
    if (got == 0) return is_serial();
    if (got < 0) return errno == EAGAIN || errno == EINTR;
  }
}

bool Line::wait_until_silent(Instant ready) {
  const Instant give_up = std::max(ready, std::chrono::steady_clock::now()) + longest_babble;
  for (Instant now = std::chrono::steady_clock::now(); !stop_.stop_requested() && now < give_up;
       now = std::chrono::steady_clock::now()) {
    const auto wait = std::clamp<std::chrono::nanoseconds>(ready - now, 0ns, longest_deafness);
    const auto arrived = input_within(wait);
    if (!arrived) return false;
    if (*arrived) {
      if (!drop_input()) return false;
      silent_since_ = std::max(silent_since_, std::chrono::steady_clock::now());
      ready = std::max(ready, silent_since_ + silence_);
    } else if (std::chrono::steady_clock::now() >= ready) {
      break;
    }
  }
  return true;
}

/// Nothing: the other end is gone.
std::optional<bool> Line::input_within(std::chrono::nanoseconds wait) {
  pollfd waiting{modbus_get_socket(context_.get()), POLLIN, 0};
  const timespec patience{static_cast<time_t>(wait / 1s), static_cast<long>((wait % 1s).count())};
  const int ready = ::ppoll(&waiting, 1, &patience, nullptr);
  if (ready < 0 && errno != EINTR) return std::nullopt;
  // A port that was unplugged is readable for ever, and has nothing.
  if (ready > 0 && (waiting.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return std::nullopt;
  return ready > 0;
}

void Line::expect_late_answer(std::chrono::milliseconds wait) {
  if (address_.framing == ModbusFraming::rtu) late_until_ = std::chrono::steady_clock::now() + wait;
}

void Line::wait_for_late_answer() {
  while (!stop_.stop_requested()) {
    const auto left = late_until_ - std::chrono::steady_clock::now();
    if (left <= 0s) break;
    const auto arrived = input_within(std::min<std::chrono::nanoseconds>(left, longest_deafness));
    if (!arrived) break;
    if (!*arrived) continue;
    wait_until_silent(std::chrono::steady_clock::now() + serial_byte_timeout);
    break;
  }
  late_until_ = {};
}

Result<void> Line::send(const std::vector<std::uint8_t>& frame) {
  ssize_t sent = 0;
  if (is_serial()) {
    // libmodbus adds the checksum itself and drives RTS where the line needs it.
    sent = modbus_send_raw_request(context_.get(), const_cast<std::uint8_t*>(frame.data()),
                                   static_cast<int>(frame.size()) - 2);
  } else {
    sent = ::send(modbus_get_socket(context_.get()), frame.data(), frame.size(), MSG_NOSIGNAL);
  }
  // The port takes a frame at once and sends it at its pace.
  silent_since_ = std::chrono::steady_clock::now() + character_ * frame.size();
  if (sent == static_cast<ssize_t>(frame.size())) return {};
  return fail(Errc::not_connected, Retry::now, "cannot send: {}", modbus_strerror(errno));
}

std::chrono::microseconds Line::reply_patience(std::chrono::milliseconds timeout) const {
  const auto still_sending = std::max(silent_since_ - std::chrono::steady_clock::now(), 0ns);
  return timeout + std::chrono::ceil<std::chrono::microseconds>(still_sending);
}

Result<std::vector<std::uint8_t>> Line::receive(std::chrono::milliseconds timeout) {
  const auto [seconds, micros] = seconds_and_micros(reply_patience(timeout));
  modbus_set_response_timeout(context_.get(), seconds, micros);
  const auto [byte_seconds, byte_micros] =
      seconds_and_micros(is_serial() ? std::chrono::microseconds{serial_byte_timeout} : timeout);
  modbus_set_byte_timeout(context_.get(), byte_seconds, byte_micros);
  std::vector<std::uint8_t> frame(MODBUS_MAX_ADU_LENGTH);
  const int got = modbus_receive_confirmation(context_.get(), frame.data());
  const int error = errno;
  // When nothing came, the line has been silent since our own last character.
  if (got >= 0 || error != ETIMEDOUT) silent_since_ = std::chrono::steady_clock::now();
  if (got < 0) return receive_error(error, timeout);
  if (got == 0)  // libmodbus passes over the frames of other units
    return fail(Errc::corrupt, Retry::now, "unit {} answered for unit {}", frame[0],
                modbus_get_slave(context_.get()));
  frame.resize(static_cast<std::size_t>(got));
  return frame;
}

void Line::after_failure(Errc code) {
  // A late answer must not be taken for the next one. TCP: it dies with the connection. Serial: it is waited
  // out before the next request, and its unit is checked.
  if (is_serial() && code != Errc::not_connected)
    unclean_ = true;
  else
    close();
}

Result<void> Line::prepare(int unit, const ExchangeTiming& timing) {
  if (stop_.stop_requested()) return fail(Errc::cancelled, Retry::never, "stopped");
  if (!context_)
    if (auto opened = open(timing.reply_timeout); !opened) return opened.error();
  if (late_until_ != Instant{}) wait_for_late_answer();
  Instant ready = silent_since_ + silence_;
  if (std::exchange(unclean_, false)) ready = std::max(ready, std::chrono::steady_clock::now() + silence_);
  if (const auto last = last_exchange_.find(unit); last != last_exchange_.end())
    ready = std::max(ready, last->second + timing.gap);
  const bool is_open = wait_until_silent(ready);
  if (stop_.stop_requested()) return fail(Errc::cancelled, Retry::never, "stopped");
  if (is_open) return {};
  close();
  return open(timing.reply_timeout);
}

Result<void> Line::send_frame(int unit, const std::vector<std::uint8_t>& frame) {
  modbus_set_slave(context_.get(), unit);
  auto sent = send(frame);
  if (!sent) after_failure(sent.error().code);
  return sent;
}

Result<std::vector<std::uint8_t>> Line::receive_frame(int unit, std::chrono::milliseconds timeout) {
  auto frame = receive(timeout);
  last_exchange_[unit] = std::chrono::steady_clock::now();
  if (!frame) after_failure(frame.error().code);
  return frame;
}

Result<ReadReply> Line::ask(int unit, const ReadRequest& request, const ExchangeTiming& timing) {
  if (const auto ready = prepare(unit, timing); !ready) return ready.error();
  ++transaction_;
  const auto sent = send_frame(unit, encode_read(address_.framing, unit, request, transaction_));
  if (!sent) return sent.error();
  const auto frame = receive_frame(unit, timing.reply_timeout);
  if (!frame) return frame.error();
  auto reply = decode_read_reply(address_.framing, unit, request, transaction_, *frame);
  if (!reply) after_failure(reply.error().code);
  return reply;
}

WriteAttempt Line::write(int unit, const WriteRequest& request, const ExchangeTiming& timing) {
  if (const auto ready = prepare(unit, timing); !ready) return {.was_sent = false, .reply = ready.error()};
  ++transaction_;
  const auto sent = send_frame(unit, encode_write(address_.framing, unit, request, transaction_));
  if (!sent) return {.was_sent = false, .reply = sent.error()};
  const auto frame = receive_frame(unit, timing.reply_timeout);
  if (!frame) return {.was_sent = true, .reply = frame.error()};
  auto reply = decode_write_reply(address_.framing, unit, request, transaction_, *frame);
  if (!reply) after_failure(reply.error().code);
  return {.was_sent = true, .reply = std::move(reply)};
}

Result<std::vector<std::uint8_t>> Line::receive_any(std::chrono::milliseconds timeout) {
  std::vector<std::uint8_t> frame;
  pollfd waiting{modbus_get_socket(context_.get()), POLLIN, 0};
  const bool is_tcp = address_.framing == ModbusFraming::tcp;
  const auto is_whole = [&] {
    if (is_tcp)
      return frame.size() >= mbap_length &&
             frame.size() >= mbap_length + (static_cast<std::size_t>(frame[4]) << 8 | frame[5]);
    return frame.size() > 3 + crc_length && crc16(frame) == 0;
  };
  const auto first_patience = std::chrono::ceil<std::chrono::milliseconds>(reply_patience(timeout));
  while (!is_whole()) {
    const auto patience = frame.empty() ? first_patience : std::chrono::milliseconds{serial_byte_timeout};
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0)
      return frame.empty() ? receive_error(ETIMEDOUT, timeout) : receive_error(EMBBADDATA, timeout);
    std::array<std::uint8_t, MODBUS_MAX_ADU_LENGTH> bytes{};
    const ssize_t got = ::read(waiting.fd, bytes.data(), bytes.size());
    if (got <= 0) return receive_error(got == 0 ? ECONNRESET : errno, timeout);
    silent_since_ = std::chrono::steady_clock::now();
    frame.insert(frame.end(), bytes.begin(), bytes.begin() + got);
    if (frame.size() > 2 * std::size_t{MODBUS_MAX_ADU_LENGTH}) return receive_error(EMBMDATA, timeout);
  }
  return frame;
}

Result<std::vector<std::uint8_t>> Line::exchange(int unit, Bytes pdu, const ExchangeTiming& timing) {
  if (const auto ready = prepare(unit, timing); !ready) return ready.error();
  ++transaction_;
  const auto sent = send_frame(unit, framed(address_.framing, unit, pdu, transaction_));
  if (!sent) return sent.error();
  auto frame = receive_any(timing.reply_timeout);
  last_exchange_[unit] = std::chrono::steady_clock::now();
  if (!frame) {
    after_failure(frame.error().code);
    return frame;
  }
  const auto reply = unframed(address_.framing, unit, transaction_, *frame);
  if (!reply) {
    after_failure(reply.error().code);
    return reply.error();
  }
  return std::vector<std::uint8_t>{reply->begin(), reply->end()};
}

Result<DeviceIdentity> Line::identify(int unit, const ExchangeTiming& timing) {
  constexpr std::uint8_t regular = 2, own_objects = 0x80, one_object = 4;
  constexpr int most_parts = 8;
  DeviceIdentity identity;
  std::uint8_t object = 0;
  for (int i = 0; i < most_parts; ++i) {
    const auto reply = exchange(unit, encode_identity_request(regular, object), timing);
    if (!reply) return reply.error();
    auto part = decode_identity(*reply);
    if (!part) return part.error();
    identity.merge(part->objects);
    if (part->exception != 0 || !part->next_object || *part->next_object <= object) break;
    object = *part->next_object;
  }
  // Some tell their model only in an object of their own (Huawei UPS2000: 0x87).
  for (const std::uint8_t own : {own_objects, std::uint8_t{0x87}}) {
    const auto reply = exchange(unit, encode_identity_request(one_object, own), timing);
    if (!reply) break;
    if (auto part = decode_identity(*reply)) identity.merge(part->objects);
  }
  return identity;
}

}  // namespace watchroom::agent
