// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/address_query.hpp"

#include <charconv>

namespace watchroom::agent {

AddressQuery::AddressQuery(std::string_view text, std::vector<AddressComplaint>& complaints)
    : complaints_{complaints} {
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (pair.empty() || equals == std::string_view::npos) {
      complain("", fmt::format("\"{}\" is not valid, expected key=value", pair));
      continue;
    }
    const std::string key{pair.substr(0, equals)};
    if (!values_.emplace(key, percent_decoded(pair.substr(equals + 1))).second)
      complain(key, "is given twice");
  }
}

std::optional<std::string> AddressQuery::text(std::string_view key) {
  known_.emplace_back(key);
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  std::string value = std::move(found->second);
  values_.erase(found);
  if (value.empty()) complain(key, "is empty");
  return value;
}

int AddressQuery::integer(std::string_view key, int fallback, int least, int most,
                          std::string_view expected) {
  const auto value = text(key);
  if (!value) return fallback;
  int number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error == std::errc{} && end == value->data() + value->size() && number >= least && number <= most)
    return number;
  complain(key, fmt::format("{} is out of range, expected {}", *value, expected));
  return fallback;
}

void AddressQuery::complain(std::string_view part, std::string text) {
  complaints_.push_back({std::string{part}, std::move(text)});
}

void AddressQuery::complain_of_the_rest() {
  for (const auto& [key, value] : values_)
    complain(key, fmt::format("unknown part of the address, known are {}", fmt::join(known_, ", ")));
}

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

TcpPeer parse_peer(std::string_view text, int default_port, AddressQuery& query) {
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
      query.complain("port", fmt::format("{} is out of range, expected 1 to 65535", port));
  } else if (default_port == 0) {
    query.complain("port", "is missing, expected //host:port");
  }
  if (peer.host.empty()) query.complain("host", "is missing, expected //host:port");
  return peer;
}

}  // namespace watchroom::agent
