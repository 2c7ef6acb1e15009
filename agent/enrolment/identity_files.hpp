// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "proto/base/clock.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::agent {

/// Where agent.toml's `[broker]` says that the agent's identity lies, and whose it is.
struct IdentityFiles {
  std::string site, agent;
  std::filesystem::path ca, certificate, key;

  /// Without looking whether the files are there, or at the rest of agent.toml.
  static std::optional<IdentityFiles> read(const std::filesystem::path& settings_file, Problems& problems);
};

struct Identity {
  std::string certificate_pem, key_pem;
  Timestamp since{}, until{};
};

/// Nothing unless both files are there and belong together.
std::optional<Identity> load_identity(const IdentityFiles& files);

/// Puts a new pair in the place of the old one. After a power cut at any moment `finish_replacement` finds
/// either the old pair or the new one whole, never one of each.
Result<void> replace_identity(const IdentityFiles& files, const std::string& certificate_pem,
                              const std::string& key_pem);
/// To be called before the files are used: ends a replacement that was interrupted. True: there was one.
Result<bool> finish_replacement(const IdentityFiles& files);

}  // namespace watchroom::agent
