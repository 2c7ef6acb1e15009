// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/device_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchroom::agent {
namespace {

using Complaints = std::vector<AddressComplaint>;

template <typename T>
using Names = std::vector<std::pair<std::string_view, T>>;

constexpr std::string_view schemes = "modbus-tcp, modbus-rtu, modbus-rtu-tcp, snmp";

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The `key=value` pairs behind the question mark; each must be taken once.
class Query {
 public:
  Query(std::string_view text, Complaints& complaints) : complaints_{complaints} {
    while (!text.empty()) {
      const auto pair = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(text.size(), pair.size() + 1));
      const auto equals = pair.find('=');
      if (pair.empty() || equals == std::string_view::npos) {
        complaints_.push_back({"", fmt::format("\"{}\" is not valid, expected key=value", pair)});
        continue;
      }
      const std::string key{pair.substr(0, equals)};
      if (!values_.emplace(key, percent_decoded(pair.substr(equals + 1))).second)
        complaints_.push_back({key, "is given twice"});
    }
  }

  std::optional<std::string> text(std::string_view key) {
    known_.emplace_back(key);
    const auto found = values_.find(key);
    if (found == values_.end()) return std::nullopt;
    std::string value = std::move(found->second);
    values_.erase(found);
    if (value.empty()) complaints_.push_back({std::string{key}, "is empty"});
    return value;
  }

  int integer(std::string_view key, int fallback, int least, int most, std::string_view expected) {
    const auto value = text(key);
    if (!value) return fallback;
    int number = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (error != std::errc{} || end != value->data() + value->size() || number < least || number > most) {
      complaints_.push_back(
          {std::string{key}, fmt::format("{} is out of range, expected {}", *value, expected)});
      return fallback;
    }
    return number;
  }

  template <typename T>
  T choice(std::string_view key, const Names<T>& names, T fallback) {
    const auto value = text(key);
    if (!value) return fallback;
    std::vector<std::string_view> known;
    for (const auto& [name, meaning] : names) {
      if (name == *value) return meaning;
      known.push_back(name);
    }
    complaints_.push_back({std::string{key}, fmt::format("\"{}\" is not valid, expected one of {}", *value,
                                                         fmt::join(known, ", "))});
    return fallback;
  }

  void complain_of_the_rest() {
    for (const auto& [key, value] : values_)
      complaints_.push_back(
          {key, fmt::format("unknown part of the address, known are {}", fmt::join(known_, ", "))});
  }

 private:
  Complaints& complaints_;
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> known_;
};

std::optional<TcpPeer> parse_peer(std::string_view text, int default_port, Complaints& complaints) {
  TcpPeer peer{.host = {}, .port = default_port};
  std::string_view port;
  if (text.starts_with('[') && text.find(']') != std::string_view::npos) {
    const auto close = text.find(']');
    peer.host = text.substr(1, close - 1);
    if (text.size() > close + 1 && text[close + 1] == ':') port = text.substr(close + 2);
  } else {
    const auto colon = text.find(':');
    peer.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), peer.port);
    if (error != std::errc{} || end != port.data() + port.size() || peer.port < 1 || peer.port > 65535)
      complaints.push_back({"port", fmt::format("{} is out of range, expected 1 to 65535", port)});
  }
  if (peer.host.empty()) complaints.push_back({"host", "is missing, expected //host:port"});
  return peer;
}

SerialLine parse_line(std::string_view path, Query& query, Complaints& complaints) {
  SerialLine line;
  line.path = percent_decoded(path);
  if (!line.path.starts_with('/'))
    complaints.push_back(
        {"path", fmt::format("\"{}\" is not valid, expected a device such as ///dev/ttyS1", path)});
  const Names<int> bauds{{"300", 300},     {"600", 600},      {"1200", 1200},   {"2400", 2400},
                         {"4800", 4800},   {"9600", 9600},    {"19200", 19200}, {"38400", 38400},
                         {"57600", 57600}, {"115200", 115200}};
  line.baud = query.choice<int>("baud", bauds, 9600);
  line.parity = query.choice<char>("parity", {{"N", 'N'}, {"E", 'E'}, {"O", 'O'}}, 'N');
  line.data_bits = query.integer("data_bits", 8, 7, 8, "7 or 8");
  line.stop_bits = query.integer("stop_bits", 1, 1, 2, "1 or 2");
  return line;
}

ModbusAddress parse_modbus(std::string_view scheme, std::string_view target, Query& query,
                           Complaints& complaints) {
  ModbusAddress address;
  const bool on_serial = scheme == "modbus-rtu";
  if (on_serial)
    address.line = parse_line(target, query, complaints);
  else
    address.line = *parse_peer(target, 502, complaints);
  address.framing = scheme == "modbus-tcp" ? ModbusFraming::tcp : ModbusFraming::rtu;
  // Unit 0 is the broadcast nobody answers on a serial line, but a device of its own behind TCP; 255 is the
  // number for "no unit" there (Modbus Messaging on TCP/IP V1.0b, 4.4.2).
  if (address.framing == ModbusFraming::tcp) {
    address.unit = query.integer("unit", 1, 0, 255, "0 to 247, or 255");
    if (address.unit > 247 && address.unit < 255)
      complaints.push_back(
          {"unit", fmt::format("{} is out of range, expected 0 to 247, or 255", address.unit)});
  } else {
    address.unit = query.integer("unit", 1, 1, 247, "1 to 247");
  }
  return address;
}

void check_security(const SnmpAddress& address, Complaints& complaints) {
  if (address.version != SnmpVersion::v3) {
    if (!address.user.empty()) complaints.push_back({"user", "needs version=3"});
    if (address.authentication != SnmpAuthentication::none) complaints.push_back({"auth", "needs version=3"});
    if (address.privacy != SnmpPrivacy::none) complaints.push_back({"priv", "needs version=3"});
    return;
  }
  if (address.user.empty()) complaints.push_back({"user", "is missing, expected the SNMPv3 user's name"});
  if (address.user.size() > 32) complaints.push_back({"user", "is longer than 32 bytes (RFC 3414 5)"});
  if (address.privacy != SnmpPrivacy::none && address.authentication == SnmpAuthentication::none)
    complaints.push_back({"priv", "needs auth (RFC 3411 3.4.3: no privacy without authentication)"});
}

SnmpAddress parse_snmp(std::string_view target, Query& query, Complaints& complaints) {
  SnmpAddress address;
  address.peer = *parse_peer(target, 161, complaints);
  address.version = query.choice<SnmpVersion>(
      "version",
      {{"1", SnmpVersion::v1}, {"2c", SnmpVersion::v2c}, {"2", SnmpVersion::v2c}, {"3", SnmpVersion::v3}},
      SnmpVersion::v2c);
  using A = SnmpAuthentication;
  const auto user = query.text("user");
  address.user = user.value_or("");
  address.authentication = query.choice<A>("auth",
                                           {{"MD5", A::md5},
                                            {"SHA", A::sha1},
                                            {"SHA-1", A::sha1},
                                            {"SHA-224", A::sha224},
                                            {"SHA-256", A::sha256},
                                            {"SHA-384", A::sha384},
                                            {"SHA-512", A::sha512}},
                                           A::none);
  address.privacy = query.choice<SnmpPrivacy>(
      "priv", {{"DES", SnmpPrivacy::des}, {"AES", SnmpPrivacy::aes}, {"AES-128", SnmpPrivacy::aes}},
      SnmpPrivacy::none);
  check_security(address, complaints);
  return address;
}

void parse_secrets(DeviceAddress& address, Query& query, AddressOrigin origin, Complaints& complaints) {
  const auto* snmp = std::get_if<SnmpAddress>(&address.where);
  if (!snmp) return;
  if (origin == AddressOrigin::settings) {
    for (const auto* key : {"community", "auth_key_file", "priv_key_file"})
      if (query.text(key))
        complaints.push_back(
            {key, fmt::format("does not belong in the address, expected the device's key {}",
                              std::string_view{key} == "community" ? "community_file" : key)});
    return;
  }
  address.community = query.text("community");
  if (auto file = query.text("auth_key_file")) address.secrets.authentication_key = *file;
  if (auto file = query.text("priv_key_file")) address.secrets.privacy_key = *file;
  if (snmp->version == SnmpVersion::v3) {
    if (snmp->authentication != SnmpAuthentication::none && !address.secrets.authentication_key)
      complaints.push_back({"auth_key_file", "is missing, expected the file with the passphrase"});
    if (snmp->privacy != SnmpPrivacy::none && !address.secrets.privacy_key)
      complaints.push_back({"priv_key_file", "is missing, expected the file with the passphrase"});
  } else if (!address.community) {
    complaints.push_back({"community", "is missing, expected community=NAME, or version=3"});
  }
}

}  // namespace

std::string_view DeviceAddress::driver() const {
  return std::holds_alternative<SnmpAddress>(where) ? "snmp" : "modbus";
}

std::string DeviceAddress::bus() const {
  if (const auto* snmp = std::get_if<SnmpAddress>(&where))
    return fmt::format("snmp {}:{}", snmp->peer.host, snmp->peer.port);
  const auto& modbus = std::get<ModbusAddress>(where);
  if (const auto* line = std::get_if<SerialLine>(&modbus.line)) return line->path;
  const auto& peer = std::get<TcpPeer>(modbus.line);
  return fmt::format("{} {}:{}", modbus.framing == ModbusFraming::tcp ? "modbus-tcp" : "modbus-rtu-tcp",
                     peer.host, peer.port);
}

std::optional<DeviceAddress> parse_address(std::string_view text, AddressOrigin origin,
                                           std::vector<AddressComplaint>& complaints) {
  const std::size_t before = complaints.size();
  const auto colon = text.find("://");
  const auto scheme = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  const bool is_snmp = scheme == "snmp";
  if (!is_snmp && scheme != "modbus-tcp" && scheme != "modbus-rtu" && scheme != "modbus-rtu-tcp") {
    complaints.push_back(
        {"", fmt::format("\"{}\" is not valid, expected scheme://… with a scheme out of {}", text, schemes)});
    return std::nullopt;
  }
  const auto rest = text.substr(colon + 3);
  const auto question = rest.find('?');
  const auto target = rest.substr(0, question);
  Query query{question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1),
              complaints};

  DeviceAddress address;
  if (is_snmp)
    address.where = parse_snmp(target, query, complaints);
  else
    address.where = parse_modbus(scheme, target, query, complaints);
  parse_secrets(address, query, origin, complaints);
  query.complain_of_the_rest();
  if (complaints.size() > before) return std::nullopt;

  address.text = text;
  if (address.community)  // must not reach a log
    if (const auto at = address.text.find("community="); at != std::string::npos)
      address.text.replace(at, address.text.find('&', at) - at, "community=***");
  return address;
}

}  // namespace watchroom::agent
