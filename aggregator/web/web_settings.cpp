// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/web_settings.hpp"

#include <charconv>
#include <optional>

#include <arpa/inet.h>

namespace watchroom::aggregator {
namespace {

bool is_address(const std::string& text) {
  unsigned char parsed[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, text.c_str(), parsed) == 1 || ::inet_pton(AF_INET6, text.c_str(), parsed) == 1;
}

/// "127.0.0.1:8443" or "[::1]:8443". Names are not taken: what is listened on must not depend on DNS.
bool split_listen(const std::string& text, WebSettings& settings) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  else if (address.find(':') != std::string::npos)
    return false;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, settings.listen_port);
  settings.listen_address = address;
  return error == std::errc{} && rest == end && is_address(address);
}

}  // namespace

WebSettings WebSettings::read(const SettingsTable& table) {
  using namespace std::chrono_literals;
  WebSettings settings;
  const std::string listen = table.text(
      "listen",
      {.help = "address and port of the page and the API; 0.0.0.0 for every address of this machine",
       .fallback = "127.0.0.1:8443"});
  if (!split_listen(listen, settings))
    table.reject("listen", "an IP address and a port, e.g. \"127.0.0.1:8443\"");
  settings.certificate_file = table.file(
      "certificate_file", {.help = "the server's certificate, then those between it and its CA (PEM)"});
  settings.key_file = table.file("key_file", {.help = "the private key of the certificate (PEM)"});
  settings.users_file =
      table.file("users_file", {.help = "who may log in; made by `watchroom user add`",
                                .fallback = "users.toml",
                                .must_exist = false});  // Users says more about a missing one
  settings.session_length = table.duration(
      "session_hours", {.help = "a log-in ends after this time", .fallback = 12h, .least = 1h, .most = 168h});
  settings.session_idle =
      table.duration("session_idle_min", {.help = "a log-in without an open page ends after this time",
                                          .fallback = 120min,
                                          .least = 1min,
                                          .most = 168h});
  settings.max_connections = static_cast<std::size_t>(
      table.integer("max_connections", {.help = "at the same time, open pages included; more are turned away",
                                        .fallback = 1000,
                                        .least = 10,
                                        .most = 50'000}));
  table.finish();
  return settings;
}

}  // namespace watchroom::aggregator
