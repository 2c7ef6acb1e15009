// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchroom::agent {

/// What is wrong in one part of an address, e.g. {"unit", "300 is not valid, expected …"}.
struct AddressComplaint {
  std::string part;
  std::string text;
};

/// The `key=value` pairs of an address while a driver reads them; each is taken once. What is wrong goes to
/// `complaints`, which must outlive it, and something harmless comes back.
class AddressQuery {
 public:
  template <typename T>
  using Names = std::vector<std::pair<std::string_view, T>>;

  AddressQuery(std::string_view text, std::vector<AddressComplaint>& complaints);

  std::optional<std::string> text(std::string_view key);
  int integer(std::string_view key, int fallback, int least, int most, std::string_view expected);

  template <typename T>
  T choice(std::string_view key, const Names<T>& names, T fallback) {
    const auto value = text(key);
    if (!value) return fallback;
    std::vector<std::string_view> known;
    for (const auto& [name, meaning] : names) {
      if (name == *value) return meaning;
      known.push_back(name);
    }
    complain(key, fmt::format("\"{}\" is not valid, expected one of {}", *value, fmt::join(known, ", ")));
    return fallback;
  }

  void complain(std::string_view part, std::string text);
  /// Keys that nobody asked for.
  void complain_of_the_rest();

 private:
  std::vector<AddressComplaint>& complaints_;
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> known_;
};

std::string percent_decoded(std::string_view text);

struct TcpPeer {
  std::string host;
  int port = 0;
  bool operator==(const TcpPeer&) const = default;
};

/// host, host:port or [v6]:port. A `default_port` of 0: the port must be given.
TcpPeer parse_peer(std::string_view text, int default_port, AddressQuery& query);

}  // namespace watchroom::agent
