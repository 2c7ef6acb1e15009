// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "proto/base/settings.hpp"
#include "proto/link/key_pair_files.hpp"

namespace watchroom::agent {

/// Where agent.toml's `[broker]` says that the agent's identity lies, and whose it is.
struct IdentityFiles {
  std::string site, agent;
  std::filesystem::path ca, certificate, key;

  /// Without looking whether the files are there, or at the rest of agent.toml.
  static std::optional<IdentityFiles> read(const std::filesystem::path& settings_file, Problems& problems);
  KeyPairFiles pair() const;
};

}  // namespace watchroom::agent
