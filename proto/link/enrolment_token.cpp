// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/enrolment_token.hpp"

#include <fmt/format.h>

#include "proto/base/base64.hpp"

namespace watchroom {
namespace {

constexpr std::string_view prefix = "wre1.";
constexpr std::size_t part = 32;

}  // namespace

std::string EnrolmentToken::str() const { return std::string{prefix} + to_base64url(ca_sha256 + secret); }

std::optional<EnrolmentToken> EnrolmentToken::parse(std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto bytes = from_base64url(text.substr(prefix.size()));
  if (!bytes || bytes->size() != 2 * part) return std::nullopt;
  return EnrolmentToken{bytes->substr(0, part), bytes->substr(part)};
}

std::string agent_common_name(std::string_view site, std::string_view agent) {
  return fmt::format("{}.{}", site, agent);
}

}  // namespace watchroom
