// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/settings/est_address.hpp"

namespace watchroom::agent {

std::optional<EstAddress> EstAddress::parse(std::string_view url) {
  constexpr std::string_view scheme = "https://";
  if (!url.starts_with(scheme)) return std::nullopt;
  std::string_view rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto end_of_v6 = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
  const auto colon = rest.find(':', end_of_v6 == std::string_view::npos ? 0 : end_of_v6);
  EstAddress address{std::string{rest.substr(0, colon)}, "443"};
  if (end_of_v6 != std::string_view::npos) {
    if (address.host.size() != end_of_v6 + 1) return std::nullopt;
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (colon != std::string_view::npos) address.port = std::string{rest.substr(colon + 1)};
  const auto is_port = [](const std::string& text) {
    return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos &&
           std::stoi(text) >= 1 && std::stoi(text) <= 65'535;
  };
  constexpr std::string_view foreign = "/?#@ []";
  if (address.host.empty() || address.host.find_first_of(foreign) != std::string::npos ||
      !is_port(address.port))
    return std::nullopt;
  return address;
}

}  // namespace watchroom::agent
