// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <modbus/modbus.h>

#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/identity.hpp"
#include "agent/drivers/modbus/modbus_address.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// What one exchange may take.
struct ExchangeTiming {
  std::chrono::milliseconds reply_timeout;
  std::chrono::milliseconds gap;  ///< silence the device wants before a request
};

/// A serial line or a TCP connection. Opens itself when it is needed, keeps the silence between frames, drops
/// what arrived unasked, and closes after a failure from which late bytes could follow. One thread.
class Line {
 public:
  Line(const ModbusAddress& address, std::stop_token stop);

  /// One question, one answer, checked to be the answer to this question.
  Result<ReadReply> ask(int unit, const ReadRequest& request, const ExchangeTiming& timing);
  /// What a device says of itself; empty when it does not know the function.
  Result<DeviceIdentity> identify(int unit, const ExchangeTiming& timing);
  /// What was just accepted may have been the late answer to a request that was repeated: one more may come
  /// within `wait`, and must not be taken for the next one's. TCP tells them apart by itself.
  void expect_late_answer(std::chrono::milliseconds wait);

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Free {
    void operator()(modbus_t* context) const;
  };

  bool is_serial() const { return std::holds_alternative<SerialLine>(address_.line); }
  /// Ready to send: open, silent, drained.
  Result<void> prepare(const ExchangeTiming& timing);
  Result<void> open(std::chrono::milliseconds patience);
  Result<void> open_serial(const SerialLine& line);
  Result<void> open_tcp(const TcpPeer& peer, std::chrono::milliseconds patience);
  /// Throws away what is waiting; false when the peer has closed the connection.
  bool drain();
  void drain_until_silent();
  void wait_for_late_answer();
  Result<void> send(const std::vector<std::uint8_t>& frame);
  Result<std::vector<std::uint8_t>> receive(std::chrono::milliseconds timeout);
  /// One PDU for another, of functions whose replies libmodbus cannot frame.
  Result<std::vector<std::uint8_t>> exchange(int unit, Bytes pdu, const ExchangeTiming& timing);
  Result<std::vector<std::uint8_t>> receive_any(std::chrono::milliseconds timeout);
  void after_failure(Errc code);
  void close() { context_.reset(); }

  ModbusAddress address_;
  std::stop_token stop_;
  std::unique_ptr<modbus_t, Free> context_;  // null: closed
  std::chrono::microseconds silence_;        // t3.5
  Instant last_activity_{};
  Instant late_until_{};
  bool unclean_ = false;  // something may still be arriving on the serial line
  std::uint16_t transaction_ = 0;
};

/// The 3.5 characters that separate two frames on a serial line.
std::chrono::microseconds frame_silence(const SerialLine& line);

}  // namespace watchroom::agent
