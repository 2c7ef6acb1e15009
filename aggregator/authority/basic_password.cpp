// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/basic_password.hpp"

#include "proto/base/base64.hpp"

namespace watchroom::aggregator {

bool starts_like(std::string_view text, std::string_view lower_case) {
  if (text.size() < lower_case.size()) return false;
  for (std::size_t i = 0; i < lower_case.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    if (c != lower_case[i]) return false;
  }
  return true;
}

std::optional<std::string> basic_password(std::string_view authorization) {
  constexpr std::string_view scheme = "basic ";
  if (!starts_like(authorization, scheme)) return std::nullopt;
  const auto decoded = from_base64(authorization.substr(scheme.size()));
  if (!decoded) return std::nullopt;
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return decoded->substr(colon + 1);
}

}  // namespace watchroom::aggregator
