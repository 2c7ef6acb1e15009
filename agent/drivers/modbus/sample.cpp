// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/sample.hpp"

#include <charconv>

#include "agent/drivers/modbus/frame.hpp"
#include "agent/drivers/modbus/register_image.hpp"

namespace watchroom::agent {
namespace {

struct ModbusSample {
  std::vector<std::uint8_t> reply;       ///< RTU frame with CRC
  std::optional<std::uint16_t> address;  ///< of the first register in `reply`
};

std::optional<std::vector<std::uint8_t>> bytes_of(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    std::uint8_t byte = 0;
    const auto pair = text.substr(at, 2);
    if (pair.size() != 2 || std::from_chars(pair.data(), pair.data() + 2, byte, 16).ptr != pair.data() + 2)
      return std::nullopt;
    bytes.push_back(byte);
    at += 2;
  }
  return bytes;
}

/// The table a reply's function code reads.
RegisterTable table_of(std::uint8_t function) {
  switch (function) {
    case 1: return RegisterTable::coil;
    case 2: return RegisterTable::discrete;
    case 3: return RegisterTable::holding;
    default: return RegisterTable::input;
  }
}

std::uint16_t first_address(const Profile& profile, RegisterTable table) {
  std::uint16_t first = 65535;
  for (const ProfilePoint& point : profile.points)
    for (const RegisterSpan& span : spans_of(point.source.where.as<RegisterSource>()))
      if (span.table == table) first = std::min(first, span.address);
  return first;
}

}  // namespace

DriverPart read_modbus_sample(const SettingsTable& table) {
  ModbusSample sample;
  if (auto bytes = bytes_of(table.text("reply", {.help = "a whole RTU reply with its CRC, as hex"})))
    sample.reply = *std::move(bytes);
  else
    table.reject("reply", "bytes as hex, such as \"01 04 02 00 E7 F9 7A\"");
  if (const auto address =
          table.optional_integer("address", {.help = "address of the first register", .most = 65535}))
    sample.address = static_cast<std::uint16_t>(*address);
  return sample;
}

Result<NamedReadings> play_modbus_sample(const Profile& profile, const DriverPart& answer) {
  const auto& sample = answer.as<ModbusSample>();
  if (sample.reply.size() < 5) return fail(Errc::corrupt, Retry::never, "the reply is too short");
  const RegisterTable table = table_of(sample.reply[1]);
  ReadRequest request{table, sample.address.value_or(first_address(profile, table)), 0};
  const int bytes = sample.reply[2];
  request.count = static_cast<std::uint16_t>(is_bit_table(table) ? bytes * 8 : bytes / 2);
  auto reply = decode_read_reply(ModbusFraming::rtu, sample.reply[0], request, 0, sample.reply);
  if (!reply) return reply.error();
  RegisterImage image;
  image.add(request, std::move(reply->words));
  NamedReadings readings;
  for (const ProfilePoint& point : profile.points)
    readings.emplace_back(point.name, image.read(point.source.where.as<RegisterSource>(),
                                                 point.source.conversion, Timestamp{}));
  return readings;
}

}  // namespace watchroom::agent
