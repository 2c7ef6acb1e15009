// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/drivers/modbus/modbus_address.hpp"
#include "agent/drivers/modbus/register_source.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

using Bytes = std::span<const std::uint8_t>;

/// Before the unit, in the MBAP header of TCP (Messaging on TCP/IP V1.0b, 3.1.3).
constexpr std::size_t mbap_length = 6;
constexpr std::size_t crc_length = 2;
constexpr std::uint8_t exception_flag = 0x80;

/// One question: `count` registers or bits of one table.
struct ReadRequest {
  RegisterTable table = RegisterTable::holding;
  std::uint16_t address = 0;
  std::uint16_t count = 0;

  bool operator==(const ReadRequest&) const = default;
};

bool is_bit_table(RegisterTable table);

/// The registers, or one element a bit; or the exception the device refused with.
struct ReadReply {
  int exception = 0;  ///< 0: none
  std::vector<std::uint16_t> words;
};

/// What stands in a table from `address` on is to become `words`; of a coil 0 or 1.
struct WriteRequest {
  RegisterTable table = RegisterTable::holding;
  std::uint16_t address = 0;
  std::vector<std::uint16_t> words;
  bool is_multiple = false;  ///< with function 15 or 16, else 5 or 6, which take one word
};

struct WriteReply {
  int exception = 0;  ///< 0: it was done
};

// Modbus Application Protocol V1.1b3, 7.
constexpr int gateway_path_unavailable = 10, gateway_target_silent = 11;
/// Whether an exception comes from a gateway, which heard nothing of the unit.
constexpr bool is_of_gateway(int exception) {
  return exception == gateway_path_unavailable || exception == gateway_target_silent;
}

/// Whether a PDU refuses that function. An exception without a code refuses nothing: to read it as "no
/// exception" would confirm a write that the device declined.
bool is_refusal(Bytes pdu, std::uint8_t function);
/// "illegal data address (exception 2)".
std::string exception_text(int code);

/// CRC-16 of Modbus over Serial Line V1.02, 6.2.2; 0 over a frame together with its own CRC.
std::uint16_t crc16(Bytes bytes);

/// Unit and PDU as one frame: with CRC for RTU, with the MBAP header for TCP. `transaction` is used by TCP
/// only.
std::vector<std::uint8_t> framed(ModbusFraming framing, int unit, Bytes pdu, std::uint16_t transaction);
/// The PDU of a reply of `unit`; corrupt when the frame is not whole, or another's.
Result<Bytes> unframed(ModbusFraming framing, int unit, std::uint16_t transaction, Bytes frame);

/// How long the RTU answer that begins so is; nothing where its beginning does not tell.
std::optional<std::size_t> answer_length(Bytes frame);
/// The whole RTU answers among bytes that arrived unasked.
std::vector<Bytes> answers_in(Bytes bytes);

/// A whole request.
std::vector<std::uint8_t> encode_read(ModbusFraming framing, int unit, const ReadRequest& request,
                                      std::uint16_t transaction);

/// Refuses as corrupt whatever is not the answer to exactly this request.
Result<ReadReply> decode_read_reply(ModbusFraming framing, int unit, const ReadRequest& request,
                                    std::uint16_t transaction, Bytes frame);

/// A whole request with function 5, 6, 15 or 16.
std::vector<std::uint8_t> encode_write(ModbusFraming framing, int unit, const WriteRequest& request,
                                       std::uint16_t transaction);

/// Refuses as corrupt whatever does not confirm exactly this request.
Result<WriteReply> decode_write_reply(ModbusFraming framing, int unit, const WriteRequest& request,
                                      std::uint16_t transaction, Bytes frame);

}  // namespace watchroom::agent
