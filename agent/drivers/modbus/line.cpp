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
constexpr std::size_t most_overheard = 1024;

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

/// What an RTU frame carries.
Bytes pdu_of(Bytes frame) { return frame.subspan(1, frame.size() - 1 - crc_length); }

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

/// Throws away what is waiting, but for what it tells of owed answers. False: the other end is gone.
bool Line::drop_input() {
  const int descriptor = modbus_get_socket(context_.get());
  std::array<std::uint8_t, 512> waste{};
  while (true) {
    const ssize_t got = is_serial() ? ::read(descriptor, waste.data(), waste.size())
                                    : ::recv(descriptor, waste.data(), waste.size(), MSG_DONTWAIT);
    if (got == 0) return is_serial();
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (is_rtu() && overheard_.size() < most_overheard)
      overheard_.insert(overheard_.end(), waste.begin(), waste.begin() + got);
  }
}

void Line::note_overheard() {
  for (const Bytes answer : answers_in(overheard_))
    owed_.answered(answer.front(), pdu_of(answer), std::chrono::steady_clock::now());
  overheard_.clear();
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
  note_overheard();
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

Line::Instant Line::reply_due(std::chrono::milliseconds patience) const {
  return std::max(silent_since_, std::chrono::steady_clock::now()) + patience;
}

Result<void> Line::receive(std::vector<std::uint8_t>& frame, Instant due,
                           std::chrono::milliseconds patience) {
  const auto left = std::chrono::ceil<std::chrono::microseconds>(due - std::chrono::steady_clock::now());
  if (left <= 0us) return receive_error(ETIMEDOUT, patience);
  const auto [seconds, micros] = seconds_and_micros(left);
  modbus_set_response_timeout(context_.get(), seconds, micros);
  const auto [byte_seconds, byte_micros] =
      seconds_and_micros(is_serial() ? std::chrono::microseconds{serial_byte_timeout} : patience);
  modbus_set_byte_timeout(context_.get(), byte_seconds, byte_micros);
  frame.assign(MODBUS_MAX_ADU_LENGTH, 0);
  const int got = modbus_receive_confirmation(context_.get(), frame.data());
  const int error = errno;
  // When nothing came, the line has been silent since our own last character.
  if (got >= 0 || error != ETIMEDOUT) silent_since_ = std::chrono::steady_clock::now();
  if (got < 0) return receive_error(error, patience);
  // libmodbus passes over the frames of other units, and does not say how long they are.
  const std::size_t length = got > 0 ? static_cast<std::size_t>(got) : answer_length(frame).value_or(0);
  if (length == 0 || length > frame.size())
    return fail(Errc::corrupt, Retry::now, "unit {} answered for unit {}", frame[0],
                modbus_get_slave(context_.get()));
  frame.resize(length);
  return {};
}

/// Whether a frame, whole or with a bad checksum, answers something that was asked before, or another unit.
bool Line::is_late_answer(int unit, Bytes frame, bool is_whole) {
  using Settles = OwedAnswers::Settles;
  const int from = frame[0];
  const auto now = std::chrono::steady_clock::now();
  if (is_whole && (frame.size() < 3 + crc_length || crc16(frame) != 0)) return false;
  const Settles settles =
      is_whole ? owed_.answered(from, pdu_of(frame), now) : owed_.answered_badly(from, frame[1], now);
  return settles == Settles::earlier_question || (from != unit && settles != Settles::nothing);
}

Result<std::vector<std::uint8_t>> Line::receive_answer(int unit, std::chrono::milliseconds patience) {
  const Instant due = reply_due(patience);
  std::vector<std::uint8_t> frame;
  while (true) {
    const auto received = receive(frame, due, patience);
    last_exchange_[unit] = std::chrono::steady_clock::now();
    if (received) silences_ = 0;
    const bool is_whole = static_cast<bool>(received);
    const bool may_be_late = is_rtu() && (is_whole || received.error().code == Errc::corrupt);
    if (may_be_late && is_late_answer(unit, frame, is_whole)) {
      // One of a kind that libmodbus cannot frame leaves a rest behind.
      if (!is_whole && !wait_until_silent(std::chrono::steady_clock::now() + serial_byte_timeout)) close();
      if (context_) continue;
    }
    if (is_whole) return frame;
    after_failure(received.error().code);
    return received.error();
  }
}

void Line::after_failure(Errc code) {
  // A late answer must not be taken for the next one. TCP: it dies with the connection. RTU: it is known to
  // be owed. Behind a serial server it may come to the next connection, or be lost with this one; a server
  // that is gone is known by a second silence.
  const bool is_kept =
      is_serial() ? code != Errc::not_connected : is_rtu() && code == Errc::no_answer && ++silences_ < 2;
  if (is_kept)
    unclean_ = true;
  else
    close();
}

Result<void> Line::prepare(int unit, const ExchangeTiming& timing) {
  if (stop_.stop_requested()) return fail(Errc::cancelled, Retry::never, "stopped");
  if (!context_)
    if (auto opened = open(timing.reply_timeout); !opened) return opened.error();
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

Result<void> Line::send_frame(int unit, const std::vector<std::uint8_t>& frame,
                              const ExchangeTiming& timing) {
  modbus_set_slave(context_.get(), unit);
  auto sent = send(frame);
  if (sent && is_rtu()) owed_.asked(unit, pdu_of(frame), timing.reply_timeout, silent_since_);
  if (!sent) after_failure(sent.error().code);
  return sent;
}

std::chrono::milliseconds Line::patience_with(int unit, const ExchangeTiming& timing) const {
  return is_rtu() ? owed_.patience(unit, timing.reply_timeout) : timing.reply_timeout;
}

Result<void> Line::make_sure(int unit, Bytes question, const ReadRequest& place,
                             const ExchangeTiming& timing) {
  const auto is_in_doubt = [&] {
    return is_rtu() && owed_.may_be_mistaken(unit, question, std::chrono::steady_clock::now());
  };
  if (!is_in_doubt()) return {};
  if (const auto ready = prepare(unit, timing); !ready) return ready.error();
  if (!is_in_doubt()) return {};  // it came meanwhile
  const auto wanted = encode_read(address_.framing, unit, place, transaction_);
  const auto telling = owed_.telling_question(unit, pdu_of(wanted));
  const auto sent = send_frame(unit, framed(address_.framing, unit, telling, transaction_), timing);
  if (!sent) return sent.error();
  const auto patience = patience_with(unit, timing);
  const Instant due = reply_due(patience);
  std::vector<std::uint8_t> frame;
  while (is_in_doubt()) {
    const auto received = receive(frame, due, patience);
    last_exchange_[unit] = std::chrono::steady_clock::now();
    if (received) silences_ = 0;
    if (!received) {
      after_failure(received.error().code);
      return fail(received.error().code, Retry::later, "{}, while an answer is owed that came too late",
                  received.error().text);
    }
    is_late_answer(unit, frame, true);
  }
  return {};
}

Result<ReadReply> Line::ask(int unit, const ReadRequest& request, const ExchangeTiming& timing) {
  const auto question = encode_read(address_.framing, unit, request, ++transaction_);
  if (const auto sure = make_sure(unit, pdu_of(question), request, timing); !sure) return sure.error();
  if (const auto ready = prepare(unit, timing); !ready) return ready.error();
  if (const auto sent = send_frame(unit, question, timing); !sent) return sent.error();
  const auto frame = receive_answer(unit, patience_with(unit, timing));
  if (!frame) return frame.error();
  auto reply = decode_read_reply(address_.framing, unit, request, transaction_, *frame);
  if (!reply) after_failure(reply.error().code);
  return reply;
}

bool Line::still_answers(int unit, std::span<const KnownBlock> known, const ExchangeTiming& timing) {
  if (!is_rtu()) {
    const auto reply = ask(unit, known.front().request, timing);
    return reply && !is_of_gateway(reply->exception);
  }
  bool is_in_step = known.size() > 1;
  for (const KnownBlock& block : known) {
    const auto question = encode_read(address_.framing, unit, block.request, ++transaction_);
    if (!prepare(unit, timing) || !send_frame(unit, question, timing)) return false;
    const auto frame = receive_answer(unit, patience_with(unit, timing));
    if (!frame) return false;
    const auto reply = decode_read_reply(address_.framing, unit, block.request, transaction_, *frame);
    is_in_step &= reply && reply->exception == 0 && reply->words == block.words;
  }
  if (is_in_step) owed_.forget(unit);
  return true;
}

WriteAttempt Line::write(int unit, const WriteRequest& request, const ExchangeTiming& timing) {
  const auto order = encode_write(address_.framing, unit, request, ++transaction_);
  const ReadRequest place{request.table, request.address, static_cast<std::uint16_t>(request.words.size())};
  auto ready = make_sure(unit, pdu_of(order), place, timing);
  if (ready) ready = prepare(unit, timing);
  if (!ready) return {.was_sent = false, .reply = ready.error()};
  const auto sent = send_frame(unit, order, timing);
  if (!sent) return {.was_sent = false, .reply = sent.error()};
  const auto frame = receive_answer(unit, patience_with(unit, timing));
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
    return frame.size() >= 3 + crc_length && crc16(frame) == 0;
  };
  const auto first_patience =
      std::chrono::ceil<std::chrono::milliseconds>(reply_due(timeout) - std::chrono::steady_clock::now());
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
  const auto sent = send_frame(unit, framed(address_.framing, unit, pdu, transaction_), timing);
  if (!sent) return sent.error();
  auto frame = receive_any(timing.reply_timeout);
  while (frame && is_rtu() && is_late_answer(unit, *frame, true)) frame = receive_any(timing.reply_timeout);
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
    if (is_of_gateway(part->exception))
      return fail(Errc::no_answer, Retry::later, "no answer, says the gateway: {}",
                  exception_text(part->exception));
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
