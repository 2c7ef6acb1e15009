// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/device_address.hpp"

#include <algorithm>

#include "agent/drivers/driver.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::agent {
namespace {

std::vector<std::string_view> all_schemes() {
  std::vector<std::string_view> all;
  for (const DriverType* type : driver_types())
    all.insert(all.end(), type->addresses.schemes.begin(), type->addresses.schemes.end());
  return all;
}

bool is_in_a_file(const SecretKey& key) { return key.part == key.key; }

void refuse_secrets(std::span<const SecretKey> keys, AddressQuery& query) {
  for (const SecretKey& key : keys)
    if (query.text(key.part))
      query.complain(key.part,
                     fmt::format("does not belong in the address, expected the device's key {}", key.key));
}

void take_secrets(DeviceAddress& address, AddressQuery& query) {
  for (const SecretKey& key : address.type->addresses.secrets) {
    if (auto given = query.text(key.part))
      address.secrets.push_back(is_in_a_file(key) ? DeviceSecret{key.key, *std::move(given)}
                                                  : DeviceSecret{key.key, {}, *std::move(given)});
    else if (key.is_needed(address.where))
      query.complain(key.part, fmt::format("is missing, expected {}", key.expected));
  }
}

/// What must not reach a log.
std::string without_secrets(std::string text, std::span<const SecretKey> keys) {
  for (const SecretKey& key : keys) {
    if (is_in_a_file(key)) continue;
    const std::string part = std::string{key.part} + "=";
    if (const auto at = text.find(part); at != std::string::npos)
      text.replace(at, text.find('&', at) - at, part + "***");
  }
  return text;
}

}  // namespace

Result<std::string> DeviceSecret::read() const {
  if (file.empty()) return text;
  return read_secret(file);
}

std::string_view DeviceAddress::driver() const { return type->name; }

std::string_view DeviceAddress::scheme() const { return std::string_view{text}.substr(0, text.find("://")); }

std::string DeviceAddress::bus() const { return type->addresses.bus(where).name; }

std::string DeviceAddress::place() const {
  std::string place = type->addresses.place ? type->addresses.place(where) : bus();
  for (char& c : place)  // host names have no case (RFC 4343)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return place;
}

const DeviceSecret* DeviceAddress::secret(std::string_view key) const {
  const auto found = std::ranges::find(secrets, key, &DeviceSecret::key);
  return found == secrets.end() ? nullptr : &*found;
}

std::optional<DeviceAddress> parse_address(std::string_view text, AddressOrigin origin,
                                           std::vector<AddressComplaint>& complaints) {
  const std::size_t before = complaints.size();
  const auto colon = text.find("://");
  DeviceAddress address;
  const auto scheme = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  address.type = driver_of_scheme(scheme);
  if (!address.type) {
    complaints.push_back({"", fmt::format("\"{}\" is not valid, expected scheme://… with a scheme out of {}",
                                          text, fmt::join(all_schemes(), ", "))});
    return std::nullopt;
  }
  const AddressGrammar& grammar = address.type->addresses;
  const auto rest = text.substr(colon + 3);
  const auto mark = std::min(rest.find(grammar.query_mark), rest.size());
  AddressQuery query{rest.substr(std::min(mark + 1, rest.size())), complaints};
  address.where = grammar.read(scheme, rest.substr(0, mark), query);
  if (origin == AddressOrigin::settings)
    refuse_secrets(grammar.secrets, query);
  else
    take_secrets(address, query);
  query.complain_of_the_rest();
  if (complaints.size() > before) return std::nullopt;
  address.text = without_secrets(std::string{text}, grammar.secrets);
  return address;
}

const DriverType* driver_of_scheme(std::string_view scheme) {
  for (const DriverType* type : driver_types())
    if (std::ranges::count(type->addresses.schemes, scheme) > 0) return type;
  return nullptr;
}

}  // namespace watchroom::agent
