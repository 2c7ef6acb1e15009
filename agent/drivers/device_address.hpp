// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/drivers/address_query.hpp"
#include "agent/drivers/driver_part.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

struct DriverType;

/// What an address needs beside it, for it must not be shown: a community, a passphrase.
struct SecretKey {
  std::string_view key;       ///< of the device in agent.toml, where it names a file
  std::string_view part;      ///< of a `probe` URL: the same, or another name when it is the secret itself
  std::string_view help;      ///< what the file holds
  std::string_view expected;  ///< by a `probe` URL without it
  bool (*is_needed)(const DriverPart& where);
};

struct DeviceSecret {
  std::string_view key;        ///< SecretKey::key
  std::filesystem::path file;  ///< that holds it; empty: it is `text`
  std::string text = {};

  Result<std::string> read() const;
};

/// Devices of one bus share one thread and one connection, hence how that is set up.
struct SharedBus {
  std::string name;      ///< "modbus-tcp 10.0.0.5:502", "/dev/ttyS1"
  std::string settings;  ///< "9600 baud 8N1"; empty: nothing to agree on
};

/// A driver's URL schemes and what their addresses mean.
struct AddressGrammar {
  std::span<const std::string_view> schemes;
  char query_mark = '?';  ///< stands before the key=value pairs
  /// What stands between :// and the mark, and the pairs behind it.
  DriverPart (*read)(std::string_view scheme, std::string_view target, AddressQuery& query);
  SharedBus (*bus)(const DriverPart& where);
  /// Tells one device from another on a bus, whatever way it is spoken to; null: there is one on each.
  std::string (*place)(const DriverPart& where) = nullptr;
  std::span<const SecretKey> secrets = {};
  std::string_view counted = {};  ///< the pair whose value `scan` counts through: unit=1-32
  std::string_view examples;      ///< for the help of `probe`
  std::string_view ranges;        ///< for the help of `scan`
};

/// Where a device is and how it is spoken to; what `probe` takes and agent.toml's `address` holds.
struct DeviceAddress {
  std::string text;  ///< as written, without a secret
  const DriverType* type = nullptr;
  DriverPart where;
  std::vector<DeviceSecret> secrets;

  /// The folder of the driver that speaks it: "modbus", "snmp".
  std::string_view driver() const;
  std::string_view scheme() const;
  std::string bus() const;
  /// The same for two addresses of one device.
  std::string place() const;
  /// Null: not given.
  const DeviceSecret* secret(std::string_view key) const;
};

/// In settings secrets are keys of the device, in files; only a `probe` URL may carry them.
enum class AddressOrigin { settings, probe };

/// Nothing but complaints when anything is wrong.
std::optional<DeviceAddress> parse_address(std::string_view text, AddressOrigin origin,
                                           std::vector<AddressComplaint>& complaints);

/// Null when no driver speaks it.
const DriverType* driver_of_scheme(std::string_view scheme);

}  // namespace watchroom::agent
