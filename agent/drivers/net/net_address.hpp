// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/drivers/device_address.hpp"

namespace watchroom::agent {

enum class NetScheme { icmp, tcp, http, https };
std::string_view name_of(NetScheme scheme);

/// What is asked of a host. The options stand behind a `#`, for a fragment is the one part of a URL that no
/// server ever sees (RFC 3986 3.5): `https://host/a?b=c#status=200&text=ok`.
struct NetAddress {
  NetScheme scheme = NetScheme::icmp;
  TcpPeer peer;  ///< port 0: icmp
  int echoes = 3;
  std::string target;         ///< http: path and query
  std::vector<int> statuses;  ///< http: what counts as up; empty: 2xx and 3xx
  std::string text;           ///< http: what the body must hold; empty: anything
  int redirects = 0;          ///< http: followed at most
  bool is_verified = true;    ///< https: the certificate must be good
  std::string ca_file;        ///< https: whom to trust instead of the system's list

  /// For libcurl, without the options.
  std::string url() const;
};

extern const AddressGrammar net_addresses;

}  // namespace watchroom::agent
