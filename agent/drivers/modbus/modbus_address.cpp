// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/modbus_address.hpp"

#include <array>
#include <filesystem>

namespace watchroom::agent {
namespace {

SerialLine parse_line(std::string_view path, AddressQuery& query) {
  SerialLine line;
  line.path = percent_decoded(path);
  if (!line.path.starts_with('/'))
    query.complain("path", fmt::format("\"{}\" is not valid, expected a device such as ///dev/ttyS1", path));
  const AddressQuery::Names<int> bauds{
      {"300", 300},   {"600", 600},     {"1200", 1200},   {"2400", 2400},   {"4800", 4800},
      {"9600", 9600}, {"19200", 19200}, {"38400", 38400}, {"57600", 57600}, {"115200", 115200}};
  line.baud = query.choice<int>("baud", bauds, 9600);
  line.parity = query.choice<char>("parity", {{"N", 'N'}, {"E", 'E'}, {"O", 'O'}}, 'N');
  line.data_bits = query.integer("data_bits", 8, 7, 8, "7 or 8");
  line.stop_bits = query.integer("stop_bits", 1, 1, 2, "1 or 2");
  return line;
}

DriverPart read_address(std::string_view scheme, std::string_view target, AddressQuery& query) {
  ModbusAddress address;
  if (scheme == "modbus-rtu")
    address.line = parse_line(target, query);
  else
    address.line = parse_peer(target, 502, query);
  address.framing = scheme == "modbus-tcp" ? ModbusFraming::tcp : ModbusFraming::rtu;
  // Unit 0 is the broadcast nobody answers on a serial line, but a device of its own behind TCP; 255 is the
  // number for "no unit" there (Modbus Messaging on TCP/IP V1.0b, 4.4.2).
  if (address.framing == ModbusFraming::tcp) {
    address.unit = query.integer("unit", 1, 0, 255, "0 to 247, or 255");
    if (address.unit > 247 && address.unit < 255)
      query.complain("unit", fmt::format("{} is out of range, expected 0 to 247, or 255", address.unit));
  } else {
    address.unit = query.integer("unit", 1, 1, 247, "1 to 247");
  }
  return address;
}

SharedBus bus_of(const DriverPart& where) {
  const auto& modbus = where.as<ModbusAddress>();
  if (const auto* line = std::get_if<SerialLine>(&modbus.line))
    return {line->path,
            fmt::format("{} baud {}{}{}", line->baud, line->data_bits, line->parity, line->stop_bits)};
  const auto& peer = std::get<TcpPeer>(modbus.line);
  return {fmt::format("{} {}:{}", modbus.framing == ModbusFraming::tcp ? "modbus-tcp" : "modbus-rtu-tcp",
                      peer.host, peer.port),
          {}};
}

/// A line has several names under /dev; the framing of a TCP peer tells no two devices apart.
std::string place_of(const DriverPart& where) {
  const auto& modbus = where.as<ModbusAddress>();
  if (const auto* peer = std::get_if<TcpPeer>(&modbus.line))
    return fmt::format("modbus {}:{} unit {}", peer->host, peer->port, modbus.unit);
  const std::string& path = std::get<SerialLine>(modbus.line).path;
  std::error_code failure;
  const auto device = std::filesystem::weakly_canonical(path, failure);
  return fmt::format("modbus {} unit {}", failure ? path : device.string(), modbus.unit);
}

constexpr std::array<std::string_view, 3> schemes{"modbus-tcp", "modbus-rtu", "modbus-rtu-tcp"};

}  // namespace

const AddressGrammar modbus_addresses{
    .schemes = schemes,
    .read = read_address,
    .bus = bus_of,
    .place = place_of,
    .counted = "unit",
    .examples = "modbus-tcp://HOST:PORT?unit=1, modbus-rtu:///dev/ttyS1?baud=9600&parity=N&unit=1",
    .ranges = "modbus-rtu:///dev/ttyS1?baud=9600&unit=1-32, modbus-tcp://10.0.0.0/28?unit=1-4",
};

}  // namespace watchroom::agent
