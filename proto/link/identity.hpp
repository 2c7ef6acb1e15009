// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace watchroom {

/// One thing wrong with the PEM files that make a TLS identity.
struct IdentityProblem {
  enum class About { authority, certificate, key };
  About about;
  std::string text;
  bool is_warning = false;  ///< it will work, but not for ever, or not with everybody
};

/// Looks into the files before a connection does: each must hold what it should, the key must belong to the
/// certificate, and neither it nor the CA should have run out at `now`.
std::vector<IdentityProblem> check_identity(const std::filesystem::path& authority,
                                            const std::filesystem::path& certificate,
                                            const std::filesystem::path& key, std::time_t now);

/// From when to when a file of certificates serves, both in seconds since 1970: CAs outlive a 32-bit time_t.
struct Validity {
  std::int64_t since = 0;
  std::int64_t until = 0;
};

enum class CertificateFile {
  chain,   ///< one's own certificate and those between it and its CA: each must serve
  bundle,  ///< CAs to trust: one that has run out does no harm beside another
};

/// Nothing when the file holds no certificate. Of a chain, the time in which all of it serves; of a bundle,
/// that of the certificate that runs out next after `now`, or of the last one when all have.
std::optional<Validity> read_validity(const std::filesystem::path& file, CertificateFile kind,
                                      std::int64_t now);

}  // namespace watchroom
