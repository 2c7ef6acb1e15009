// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/line.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/drivers/pause.hpp"
#include "agent/drivers/tcp_connect.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// A serial adapter may hand bytes over in portions (the latency timer of FTDI chips is 16 ms); only a longer
// pause means that the rest will not come.
constexpr auto serial_byte_timeout = 100ms;
constexpr auto longest_drain = 500ms;

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

std::chrono::microseconds frame_silence(const SerialLine& line) {
  // Modbus over Serial Line V1.02, 2.5.1.1: fixed above 19 200 baud. A character has a start bit as well.
  if (line.baud > 19'200) return 1750us;
  const int bits = 1 + line.data_bits + (line.parity == 'N' ? 0 : 1) + line.stop_bits;
  return std::chrono::microseconds{(3'500'000LL * bits + line.baud - 1) / line.baud};
}

void Line::Free::operator()(modbus_t* context) const {
  modbus_close(context);
  modbus_free(context);
}

Line::Line(const ModbusAddress& address, std::stop_token stop)
    : address_{address}, stop_{std::move(stop)}, silence_{0} {
  if (const auto* serial = std::get_if<SerialLine>(&address_.line)) silence_ = frame_silence(*serial);
}

Result<void> Line::open(std::chrono::milliseconds patience) {
  if (const auto* serial = std::get_if<SerialLine>(&address_.line)) return open_serial(*serial);
  return open_tcp(std::get<TcpPeer>(address_.line), patience);
}

Result<void> Line::open_serial(const SerialLine& line) {
  std::unique_ptr<modbus_t, Free> context{
      modbus_new_rtu(line.path.c_str(), line.baud, line.parity, line.data_bits, line.stop_bits)};
  if (!context)
    return fail(Errc::invalid, Retry::never, "{} cannot be set up: {}", line.path, modbus_strerror(errno));
  if (modbus_connect(context.get()) != 0)
    return fail(Errc::not_connected, Retry::later, "{} cannot be opened: {}", line.path,
                std::strerror(errno));
  if (const auto fits = usable(modbus_get_socket(context.get())); !fits) return fits.error();
  context_ = std::move(context);
  unclean_ = true;
  return {};
}

Result<void> Line::open_tcp(const TcpPeer& peer, std::chrono::milliseconds patience) {
  const auto socket = tcp_connect(peer, patience, stop_);
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

bool Line::drain() {
  const int descriptor = modbus_get_socket(context_.get());
  if (is_serial()) {
    if (std::exchange(unclean_, false)) drain_until_silent();
    modbus_flush(context_.get());
    return true;
  }
  std::array<std::uint8_t, 512> waste{};
  while (true) {
    const ssize_t got = ::recv(descriptor, waste.data(), waste.size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
  }
}

void Line::drain_until_silent() {
  std::array<std::uint8_t, 512> waste{};
  pollfd waiting{modbus_get_socket(context_.get()), POLLIN, 0};
  const auto silence = std::chrono::ceil<std::chrono::milliseconds>(silence_);
  const Instant deadline = std::chrono::steady_clock::now() + longest_drain;
  while (std::chrono::steady_clock::now() < deadline &&
         ::poll(&waiting, 1, static_cast<int>(silence.count())) > 0)
    if (::read(waiting.fd, waste.data(), waste.size()) <= 0) return;
}

void Line::expect_late_answer(std::chrono::milliseconds wait) {
  if (address_.framing == ModbusFraming::rtu) late_until_ = std::chrono::steady_clock::now() + wait;
}

void Line::wait_for_late_answer() {
  pollfd waiting{modbus_get_socket(context_.get()), POLLIN, 0};
  while (!stop_.stop_requested()) {
    const auto left = late_until_ - std::chrono::steady_clock::now();
    if (left <= 0s) break;
    constexpr auto slice = 50ms;  // how late a stop may be noticed
    const auto wait =
        std::min<std::chrono::milliseconds>(slice, std::chrono::ceil<std::chrono::milliseconds>(left));
    if (::poll(&waiting, 1, static_cast<int>(wait.count())) > 0) {
      unclean_ = is_serial();  // here it is; `drain` takes it
      pause_until(stop_, std::chrono::steady_clock::now() + serial_byte_timeout);
      break;
    }
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
  last_activity_ = std::chrono::steady_clock::now();
  if (sent == static_cast<ssize_t>(frame.size())) return {};
  return fail(Errc::not_connected, Retry::now, "cannot send: {}", modbus_strerror(errno));
}

Result<std::vector<std::uint8_t>> Line::receive(std::chrono::milliseconds timeout) {
  const auto [seconds, micros] = seconds_and_micros(timeout);
  modbus_set_response_timeout(context_.get(), seconds, micros);
  const auto [byte_seconds, byte_micros] =
      seconds_and_micros(is_serial() ? std::chrono::microseconds{serial_byte_timeout} : timeout);
  modbus_set_byte_timeout(context_.get(), byte_seconds, byte_micros);
  std::vector<std::uint8_t> frame(MODBUS_MAX_ADU_LENGTH);
  const int got = modbus_receive_confirmation(context_.get(), frame.data());
  const int error = errno;
  last_activity_ = std::chrono::steady_clock::now();
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

Result<void> Line::prepare(const ExchangeTiming& timing) {
  if (stop_.stop_requested()) return fail(Errc::cancelled, Retry::never, "stopped");
  const auto wait = std::max<std::chrono::microseconds>(silence_, timing.gap);
  if (wait > 0us && !pause_until(stop_, last_activity_ + wait))
    return fail(Errc::cancelled, Retry::never, "stopped");
  if (!context_)
    if (auto opened = open(timing.reply_timeout); !opened) return opened.error();
  if (late_until_ != Instant{}) wait_for_late_answer();
  if (drain()) return {};
  close();
  return open(timing.reply_timeout);
}

Result<ReadReply> Line::ask(int unit, const ReadRequest& request, const ExchangeTiming& timing) {
  if (const auto ready = prepare(timing); !ready) return ready.error();
  ++transaction_;
  modbus_set_slave(context_.get(), unit);
  const auto sent = send(encode_read(address_.framing, unit, request, transaction_));
  if (!sent) {
    after_failure(sent.error().code);
    return sent.error();
  }
  const auto frame = receive(timing.reply_timeout);
  if (!frame) {
    after_failure(frame.error().code);
    return frame.error();
  }
  auto reply = decode_read_reply(address_.framing, unit, request, transaction_, *frame);
  if (!reply) after_failure(reply.error().code);
  return reply;
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
  while (!is_whole()) {
    const auto patience =
        frame.empty() ? timeout : std::max<std::chrono::milliseconds>(serial_byte_timeout, 0ms);
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) {
      last_activity_ = std::chrono::steady_clock::now();
      return frame.empty() ? receive_error(ETIMEDOUT, timeout) : receive_error(EMBBADDATA, timeout);
    }
    std::array<std::uint8_t, MODBUS_MAX_ADU_LENGTH> bytes{};
    const ssize_t got = ::read(waiting.fd, bytes.data(), bytes.size());
    if (got <= 0) return receive_error(got == 0 ? ECONNRESET : errno, timeout);
    frame.insert(frame.end(), bytes.begin(), bytes.begin() + got);
    if (frame.size() > 2 * std::size_t{MODBUS_MAX_ADU_LENGTH}) return receive_error(EMBMDATA, timeout);
  }
  last_activity_ = std::chrono::steady_clock::now();
  return frame;
}

Result<std::vector<std::uint8_t>> Line::exchange(int unit, Bytes pdu, const ExchangeTiming& timing) {
  if (const auto ready = prepare(timing); !ready) return ready.error();
  ++transaction_;
  const auto sent = send(framed(address_.framing, unit, pdu, transaction_));
  auto frame = sent ? receive_any(timing.reply_timeout) : Result<std::vector<std::uint8_t>>{sent.error()};
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
