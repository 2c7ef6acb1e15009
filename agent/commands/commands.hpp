// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace watchroom::agent {

/// Exit codes of the commands: 0 done, 1 it did not work, 2 the input was wrong.

/// `watchroom-agent check FILE`: every problem of the file and of the profiles it names, on standard error.
int check_command(const std::filesystem::path& settings_file);

/// `watchroom-agent describe`: agent.toml with every key commented, on standard output.
int describe_command();

struct ProbeOptions {
  std::string url;
  std::optional<std::string> profile;                 ///< a name or a path ending in .toml; else recognised
  std::optional<std::filesystem::path> profiles_dir;  ///< else the installed folder
  bool json = false;
};

/// `watchroom-agent probe URL [--profile NAME] [--profiles-dir DIR] [--json]`: a line a point.
int probe_command(const ProbeOptions& options);

}  // namespace watchroom::agent
