// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <modbus/modbus.h>

#include "agent/drivers/host_names.hpp"
#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/identity.hpp"
#include "agent/drivers/modbus/modbus_address.hpp"
#include "agent/drivers/modbus/owed_answers.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// What one exchange may take.
struct ExchangeTiming {
  std::chrono::milliseconds reply_timeout;
  std::chrono::milliseconds gap;  ///< pause that the unit wants after its last exchange
};

/// What a unit answered a moment ago.
struct KnownBlock {
  ReadRequest request;
  std::vector<std::uint16_t> words;
};

/// What is known of a write. An error with `was_sent`: whether it was done is unknown.
struct WriteAttempt {
  bool was_sent;
  Result<WriteReply> reply;
};

/// A serial line or a TCP connection. Opens itself when it is needed, keeps the silence between frames, drops
/// what arrived unasked, and closes after a failure from which late bytes could follow. Over RTU a late
/// answer is never taken for another question's: before one that it could pass for, another is asked. One
/// thread.
class Line {
 public:
  /// `names` must outlive it; null: it finds its host itself.
  Line(const ModbusAddress& address, std::stop_token stop, HostNames* names = nullptr);

  /// One question, one answer, checked to be the answer to this question.
  Result<ReadReply> ask(int unit, const ReadRequest& request, const ExchangeTiming& timing);
  /// Whether a unit that was silent to one question still answers others. When it answers two that hold
  /// different things with just these, it does not lag behind: then it owes nothing from before.
  bool still_answers(int unit, std::span<const KnownBlock> known, const ExchangeTiming& timing);
  /// Writes once, and never again by itself: what was sent but not answered may have been done.
  WriteAttempt write(int unit, const WriteRequest& request, const ExchangeTiming& timing);
  /// What a device says of itself; empty when it does not know the function.
  Result<DeviceIdentity> identify(int unit, const ExchangeTiming& timing);
  /// Whether the unit was seen to need longer than its reply time-out; it is waited for longer then.
  bool was_late(int unit) const { return owed_.was_late(unit); }

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Free {
    void operator()(modbus_t* context) const;
  };

  /// An open descriptor that holds the lock of a port.
  class Lock {
   public:
    Lock() = default;
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { reset(); }
    void reset(int number = -1);
    explicit operator bool() const { return number_ >= 0; }
    int number() const { return number_; }

   private:
    int number_ = -1;
  };

  bool is_rtu() const { return address_.framing == ModbusFraming::rtu; }
  bool is_serial() const { return std::holds_alternative<SerialLine>(address_.line); }
  /// Ready to send: open, silent, drained.
  Result<void> prepare(int unit, const ExchangeTiming& timing);
  Result<void> open(std::chrono::milliseconds patience);
  Result<void> lock(const SerialLine& line);
  Result<void> open_serial(const SerialLine& line);
  Result<void> open_tcp(const TcpPeer& peer, std::chrono::milliseconds patience);
  /// Listens until `ready`, later when something still arrives, and throws that away. False: the other end is
  /// gone.
  bool wait_until_silent(Instant ready);
  std::optional<bool> input_within(std::chrono::nanoseconds wait);
  bool drop_input();
  void note_overheard();
  Result<void> send(const std::vector<std::uint8_t>& frame);
  Result<void> send_frame(int unit, const std::vector<std::uint8_t>& frame, const ExchangeTiming& timing);
  /// Makes sure that no owed answer can be mistaken for that to `question`, by another question at `place`.
  Result<void> make_sure(int unit, Bytes question, const ReadRequest& place, const ExchangeTiming& timing);
  std::chrono::milliseconds patience_with(int unit, const ExchangeTiming& timing) const;
  /// A device's time to answer begins when it has the whole request.
  Instant reply_due(std::chrono::milliseconds patience) const;
  Result<void> receive(std::vector<std::uint8_t>& frame, Instant due, std::chrono::milliseconds patience);
  bool is_late_answer(int unit, Bytes frame, bool is_whole);
  /// The next frame that is no late answer.
  Result<std::vector<std::uint8_t>> receive_answer(int unit, std::chrono::milliseconds patience);
  /// One PDU for another, of functions whose replies libmodbus cannot frame.
  Result<std::vector<std::uint8_t>> exchange(int unit, Bytes pdu, const ExchangeTiming& timing);
  Result<std::vector<std::uint8_t>> receive_any(std::chrono::milliseconds timeout);
  void after_failure(Errc code);
  void close() {
    silences_ = 0;
    context_.reset();
    lock_.reset();
  }

  ModbusAddress address_;
  std::stop_token stop_;
  HostNames own_names_;
  HostNames& names_;
  Lock lock_;                                // of a serial line
  std::unique_ptr<modbus_t, Free> context_;  // null: closed
  std::chrono::nanoseconds character_{0};    // on the wire; 0 where there is none
  std::chrono::nanoseconds silence_{0};      // t3.5
  Instant silent_since_{};                   // the end of the last character, ours or theirs
  std::map<int, Instant> last_exchange_;     // by unit
  OwedAnswers owed_;                         // over RTU
  std::vector<std::uint8_t> overheard_;
  int silences_ = 0;      // one after the other, on this connection
  bool unclean_ = false;  // something may still be arriving on the serial line
  std::uint16_t transaction_ = 0;
};

std::chrono::nanoseconds character_time(const SerialLine& line);
/// The 3.5 characters that separate two frames on a serial line.
std::chrono::nanoseconds frame_silence(const SerialLine& line);

}  // namespace watchroom::agent
