// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <ctime>
#include <filesystem>
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

}  // namespace watchroom
