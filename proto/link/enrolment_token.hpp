// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watchroom {

/// What an administrator carries from the centre to a new agent: whom to trust, and the right to be certified
/// once. As text "wre1." and 86 characters.
struct EnrolmentToken {
  std::string ca_sha256;  ///< of the CA's certificate in DER, 32 bytes
  std::string secret;     ///< 32 random bytes

  std::string str() const;
  /// Nothing unless it is exactly what `str` writes.
  static std::optional<EnrolmentToken> parse(std::string_view text);
  bool operator==(const EnrolmentToken&) const = default;
};

/// The name in an agent's certificate: "hq.room1". A dot occurs in no site, agent or host id, so that no
/// agent can be named as another site's agent or as the centre.
std::string agent_common_name(std::string_view site, std::string_view agent);
/// X.520's upper bound of a common name (RFC 5280 appendix A.1).
inline constexpr std::size_t longest_common_name = 64;

}  // namespace watchroom
