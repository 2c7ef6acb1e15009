// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <variant>

#include "agent/drivers/device_address.hpp"

namespace watchroom::agent {

struct SerialLine {
  std::string path;
  int baud = 9600;
  char parity = 'N';  ///< N E O
  int data_bits = 8;
  int stop_bits = 1;
  bool operator==(const SerialLine&) const = default;
};

enum class ModbusFraming { rtu, tcp };

struct ModbusAddress {
  std::variant<TcpPeer, SerialLine> line;
  ModbusFraming framing = ModbusFraming::tcp;
  int unit = 1;
};

extern const AddressGrammar modbus_addresses;

}  // namespace watchroom::agent
