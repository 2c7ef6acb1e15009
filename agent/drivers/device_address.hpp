// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace watchroom::agent {

struct TcpPeer {
  std::string host;
  int port = 0;
  bool operator==(const TcpPeer&) const = default;
};

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

enum class SnmpVersion { v1, v2c, v3 };
enum class SnmpAuthentication { none, md5, sha1, sha224, sha256, sha384, sha512 };
enum class SnmpPrivacy { none, des, aes };

struct SnmpAddress {
  TcpPeer peer;
  SnmpVersion version = SnmpVersion::v2c;
  std::string user;
  SnmpAuthentication authentication = SnmpAuthentication::none;
  SnmpPrivacy privacy = SnmpPrivacy::none;
};

/// Files that hold what must not stand in a configuration: v1/v2c community, v3 passphrases.
struct SecretFiles {
  std::optional<std::filesystem::path> community;
  std::optional<std::filesystem::path> authentication_key;
  std::optional<std::filesystem::path> privacy_key;
};

/// Where a device is and how it is spoken to; what `probe` takes and agent.toml's `address` holds.
struct DeviceAddress {
  std::string text;  ///< as written, without a community
  std::variant<ModbusAddress, SnmpAddress> where;
  /// Only `probe` URLs may carry these; in agent.toml they are keys of the device.
  std::optional<std::string> community;
  SecretFiles secrets;

  /// The folder of the driver that speaks it: "modbus", "snmp".
  std::string_view driver() const;
  /// Devices of one bus share one thread and one connection: "modbus-tcp 10.0.0.5:502", "/dev/ttyS1".
  std::string bus() const;
};

/// What is wrong in one part of an address, e.g. {"unit", "300 is not valid, expected …"}.
struct AddressComplaint {
  std::string part;
  std::string text;
};

enum class AddressOrigin { settings, probe };

/// Nothing but complaints when anything is wrong.
std::optional<DeviceAddress> parse_address(std::string_view text, AddressOrigin origin,
                                           std::vector<AddressComplaint>& complaints);

}  // namespace watchroom::agent
