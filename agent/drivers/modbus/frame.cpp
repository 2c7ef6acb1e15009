// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/frame.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/ranges.h>

namespace watchroom::agent {
namespace {

// Function codes: Modbus Application Protocol V1.1b3, 6.1 to 6.6, 6.11, 6.12.
constexpr std::uint8_t write_coil = 5, write_register = 6, write_coils = 15, write_registers = 16;

std::uint8_t function_of(const WriteRequest& request) {
  if (is_bit_table(request.table)) return request.is_multiple ? write_coils : write_coil;
  return request.is_multiple ? write_registers : write_register;
}

std::uint8_t function_of(RegisterTable table) {
  switch (table) {
    case RegisterTable::coil: return 1;
    case RegisterTable::discrete: return 2;
    case RegisterTable::holding: return 3;
    case RegisterTable::input: return 4;
  }
  return 0;
}

std::uint8_t high(std::size_t word) { return static_cast<std::uint8_t>(word >> 8); }
std::uint8_t low(std::size_t word) { return static_cast<std::uint8_t>(word & 0xff); }
std::uint16_t word_at(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

/// What is inside the framing: [unit][function]…; an error when the framing itself is wrong.
Result<Bytes> body_of(ModbusFraming framing, std::uint16_t transaction, Bytes frame) {
  if (framing == ModbusFraming::rtu) {
    if (frame.size() < 3 + crc_length || crc16(frame) != 0)
      return fail(Errc::corrupt, Retry::now, "{} bytes with a bad checksum", frame.size());
    return frame.first(frame.size() - crc_length);
  }
  if (frame.size() < mbap_length + 3)
    return fail(Errc::corrupt, Retry::now, "{} bytes are no Modbus TCP reply", frame.size());
  if (word_at(frame, 0) != transaction)
    return fail(Errc::corrupt, Retry::now, "an answer to another request (transaction {} instead of {})",
                word_at(frame, 0), transaction);
  if (word_at(frame, 2) != 0)
    return fail(Errc::corrupt, Retry::now, "protocol {} is not Modbus", word_at(frame, 2));
  if (word_at(frame, 4) != frame.size() - mbap_length)
    return fail(Errc::corrupt, Retry::now, "{} bytes where the header promises {}",
                frame.size() - mbap_length, word_at(frame, 4));
  return frame.subspan(mbap_length);
}

}  // namespace

bool is_bit_table(RegisterTable table) {
  return table == RegisterTable::coil || table == RegisterTable::discrete;
}

bool is_refusal(Bytes pdu, std::uint8_t function) {
  return pdu.size() == 2 && pdu[0] == (function | exception_flag) && pdu[1] != 0;
}

std::string exception_text(int code) {
  // Modbus Application Protocol V1.1b3, 7.
  static constexpr std::array<std::string_view, 12> meanings{
      "",
      "illegal function",
      "illegal data address",
      "illegal data value",
      "device failure",
      "acknowledged, not ready yet",
      "device busy",
      "negative acknowledgement",
      "memory parity error",
      "",
      "gateway path unavailable",
      "the device behind the gateway does not respond"};
  const auto index = static_cast<std::size_t>(code);
  const std::string_view meaning = index < meanings.size() ? meanings[index] : std::string_view{};
  return fmt::format("{} (exception {})", meaning.empty() ? "unknown reason" : meaning, code);
}

std::uint16_t crc16(Bytes bytes) {
  std::uint16_t crc = 0xffff;
  for (const std::uint8_t byte : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ byte);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 1) != 0 ? (crc >> 1) ^ 0xa001 : crc >> 1);
  }
  return crc;
}

std::vector<std::uint8_t> framed(ModbusFraming framing, int unit, Bytes pdu, std::uint16_t transaction) {
  std::vector<std::uint8_t> frame;
  const std::size_t length = 1 + pdu.size();
  if (framing == ModbusFraming::tcp)
    frame = {high(transaction), low(transaction), 0, 0, high(length), low(length)};
  frame.push_back(static_cast<std::uint8_t>(unit));
  frame.insert(frame.end(), pdu.begin(), pdu.end());
  if (framing == ModbusFraming::rtu) {
    const std::uint16_t crc = crc16(frame);
    frame.push_back(low(crc));
    frame.push_back(high(crc));
  }
  return frame;
}

Result<Bytes> unframed(ModbusFraming framing, int unit, std::uint16_t transaction, Bytes frame) {
  const auto body = body_of(framing, transaction, frame);
  if (!body) return body.error();
  if ((*body)[0] != unit)
    return fail(Errc::corrupt, Retry::now, "unit {} answered for unit {}", (*body)[0], unit);
  return body->subspan(1);
}

std::optional<std::size_t> answer_length(Bytes frame) {
  if (frame.size() < 3) return std::nullopt;
  const std::uint8_t function = frame[1];
  if ((function & exception_flag) != 0) return 3 + crc_length;
  switch (function) {
    case 1:
    case 2:
    case 3:
    case 4: return 3u + frame[2] + crc_length;
    case write_coil:
    case write_register:
    case write_coils:
    case write_registers: return 6 + crc_length;
    default: return std::nullopt;
  }
}

std::vector<Bytes> answers_in(Bytes bytes) {
  const auto is_answer = [](Bytes frame) { return crc16(frame) == 0; };
  std::vector<Bytes> answers;
  while (bytes.size() >= 3 + crc_length) {
    const auto told = answer_length(bytes);
    std::size_t length = told && *told <= bytes.size() && is_answer(bytes.first(*told)) ? *told : 0;
    for (std::size_t end = 3 + crc_length; !told && length == 0 && end <= bytes.size(); ++end)
      if (is_answer(bytes.first(end))) length = end;
    if (length > 0) answers.push_back(bytes.first(length));
    bytes = bytes.subspan(std::max<std::size_t>(length, 1));
  }
  return answers;
}

std::vector<std::uint8_t> encode_read(ModbusFraming framing, int unit, const ReadRequest& request,
                                      std::uint16_t transaction) {
  const std::array<std::uint8_t, 5> pdu{function_of(request.table), high(request.address),
                                        low(request.address), high(request.count), low(request.count)};
  return framed(framing, unit, pdu, transaction);
}

// Reply layout: [function][byte count][content]; registers high byte first, bits lowest first
// (Modbus Application Protocol V1.1b3, 6.1 and 6.3).
Result<ReadReply> decode_read_reply(ModbusFraming framing, int unit, const ReadRequest& request,
                                    std::uint16_t transaction, Bytes frame) {
  const auto unwrapped = unframed(framing, unit, transaction, frame);
  if (!unwrapped) return unwrapped.error();
  const Bytes pdu = *unwrapped;
  const std::uint8_t function = function_of(request.table);
  if (is_refusal(pdu, function)) return ReadReply{.exception = pdu[1], .words = {}};
  if (pdu[0] != function)
    return fail(Errc::corrupt, Retry::now, "function {} was answered with {}", function, pdu[0]);

  const bool bits = is_bit_table(request.table);
  const std::size_t content = bits ? (request.count + 7u) / 8u : 2u * request.count;
  if (pdu[1] != content || pdu.size() != 2 + content)
    return fail(Errc::corrupt, Retry::now, "{} bytes of content instead of {}", pdu.size() - 2, content);
  ReadReply reply;
  reply.words.reserve(request.count);
  for (std::size_t i = 0; i < request.count; ++i)
    reply.words.push_back(bits ? static_cast<std::uint16_t>(pdu[2 + i / 8] >> (i % 8) & 1)
                               : word_at(pdu, 2 + 2 * i));
  return reply;
}

namespace {

std::uint16_t count_of(const WriteRequest& request) {
  return static_cast<std::uint16_t>(request.words.size());
}

/// [function][address][value, or how many]: the head of a request, and the whole of what confirms it
/// (Modbus Application Protocol V1.1b3, 6.5, 6.6, 6.11, 6.12).
std::vector<std::uint8_t> confirmation_of(const WriteRequest& request) {
  constexpr std::uint16_t coil_on = 0xff00, coil_off = 0x0000;
  std::uint16_t content = request.is_multiple ? count_of(request) : request.words.front();
  if (!request.is_multiple && is_bit_table(request.table)) content = content != 0 ? coil_on : coil_off;
  return {function_of(request), high(request.address), low(request.address), high(content), low(content)};
}

}  // namespace

std::vector<std::uint8_t> encode_write(ModbusFraming framing, int unit, const WriteRequest& request,
                                       std::uint16_t transaction) {
  std::vector<std::uint8_t> pdu = confirmation_of(request);
  if (request.is_multiple && is_bit_table(request.table)) {
    std::vector<std::uint8_t> packed((request.words.size() + 7) / 8);
    for (std::size_t i = 0; i < request.words.size(); ++i)
      if (request.words[i] != 0) packed[i / 8] = static_cast<std::uint8_t>(packed[i / 8] | 1u << (i % 8));
    pdu.push_back(low(packed.size()));
    pdu.insert(pdu.end(), packed.begin(), packed.end());
  } else if (request.is_multiple) {
    pdu.push_back(low(2 * request.words.size()));
    for (const std::uint16_t word : request.words) pdu.insert(pdu.end(), {high(word), low(word)});
  }
  return framed(framing, unit, pdu, transaction);
}

Result<WriteReply> decode_write_reply(ModbusFraming framing, int unit, const WriteRequest& request,
                                      std::uint16_t transaction, Bytes frame) {
  const auto pdu = unframed(framing, unit, transaction, frame);
  if (!pdu) return pdu.error();
  const std::uint8_t function = function_of(request);
  if (is_refusal(*pdu, function)) return WriteReply{.exception = (*pdu)[1]};
  if ((*pdu)[0] != function)
    return fail(Errc::corrupt, Retry::now, "function {} was answered with {}", function, (*pdu)[0]);
  if (!std::ranges::equal(*pdu, confirmation_of(request)))
    return fail(Errc::corrupt, Retry::now, "the device confirmed something else than was written: {:02x}",
                fmt::join(*pdu, " "));
  return WriteReply{};
}

}  // namespace watchroom::agent
