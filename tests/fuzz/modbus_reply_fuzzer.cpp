// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// First seven bytes: framing, unit, table, address, count; the rest is the frame as it came from the line.
// What is accepted has exactly the registers that were asked for, and any point can be read from them.
#include <cstdlib>
#include <span>

#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/register_image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom;
  using namespace watchroom::agent;
  if (size < 7) return 0;
  const auto framing = (bytes[0] & 1) != 0 ? ModbusFraming::rtu : ModbusFraming::tcp;
  const int unit = bytes[1];
  ReadRequest request;
  request.table = static_cast<RegisterTable>(bytes[2] & 3);
  request.address = static_cast<std::uint16_t>(bytes[3] << 8 | bytes[4]);
  request.count = static_cast<std::uint16_t>(1 + bytes[5] % 125);
  const auto type = static_cast<RegisterType>(bytes[6] % 12);
  const auto order = static_cast<ByteOrder>(bytes[6] >> 4 & 3);
  // A write is confirmed by nothing but its own echo.
  const WriteRequest written{(bytes[2] & 1) != 0 ? RegisterTable::coil : RegisterTable::holding,
                             request.address,
                             {static_cast<std::uint16_t>(bytes[5] & 1)},
                             (bytes[2] & 2) != 0};
  const Bytes frame{bytes + 7, size - 7};
  const auto confirmed = decode_write_reply(framing, unit, written, 7, frame);
  if (confirmed && confirmed->exception == 0 && frame.size() != (framing == ModbusFraming::rtu ? 8u : 12u))
    std::abort();
  const auto reply = decode_read_reply(framing, unit, request, 7, {bytes + 7, size - 7});
  if (!reply || reply->exception != 0) return 0;
  if (reply->words.size() != request.count) std::abort();

  RegisterImage image;
  image.add(request, reply->words);
  RegisterSource source;
  source.table = request.table;
  source.address = request.address;
  source.type = is_bit_table(request.table) ? RegisterType::bit : type;
  source.order = order;
  if (!is_bit_table(request.table) && type == RegisterType::bit) source.type = RegisterType::u16;
  if (source.type == RegisterType::text) source.text_length = request.count;
  const Reading reading = image.read(source, Conversion{}, Timestamp{});
  if (reading.quality == Quality::good && !reading.value) std::abort();
  return 0;
}
