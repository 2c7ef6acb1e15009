// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/profiles/profile.hpp"
#include "proto/base/command_line.hpp"

namespace watchroom::agent {

/// Exit codes of the commands.
constexpr int done = command_line::done, did_not_work = command_line::failed,
              wrong_input = command_line::wrong_input;

/// The profiles of one driver in a folder. One that is wrong is left out and told on standard error.
std::vector<std::shared_ptr<const Profile>> load_profiles(const std::filesystem::path& folder,
                                                          std::string_view driver);

/// `watchroom-agent check FILE [--json]`: every problem of the file and of the profiles it names, and what
/// would fail at the start or soon after. Changes nothing. Did not work: the agent will not start.
int check_command(const std::filesystem::path& settings_file, bool json = false);

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

struct WriteOptions {
  std::string url;
  std::string point;
  std::string value;                                  ///< a number, a state's code or its text
  std::optional<std::string> profile;                 ///< a name or a path ending in .toml; else recognised
  std::optional<std::filesystem::path> profiles_dir;  ///< else the installed folder
  bool json = false;
  bool is_confirmed = false;  ///< nobody is asked
};

/// `watchroom-agent write URL POINT VALUE`: sets one writable point and reads it back. Done only when what
/// was read back is what was written.
int write_command(const WriteOptions& options);

struct InhibitOptions {
  std::filesystem::path settings_file;
  std::string owner;
  std::string lasting;  ///< "30m", "2h"
  std::string reason;
  bool is_end = false;
  bool json = false;
};

/// `watchroom-agent inhibit FILE --owner NAME --for TIME --reason TEXT`, or `--end`: tells the running agent.
int inhibit_command(const InhibitOptions& options);

struct ResetOptions {
  std::filesystem::path settings_file;
  std::string owner;
  std::string reaction;  ///< empty: all that are latched
  bool json = false;
};

/// `watchroom-agent reset FILE --owner NAME [--reaction NAME]`.
int reset_command(const ResetOptions& options);

struct ScanOptions {
  std::string url;  ///< with ranges: hosts 10.0.0.1-50 or 10.0.0.0/28, unit=1-32
  std::optional<std::filesystem::path> profiles_dir;
  std::optional<std::filesystem::path> out;  ///< else standard output
  std::chrono::milliseconds reply_timeout{500};
  int limit = 1024;  ///< addresses
};

/// `watchroom-agent scan URL`: asks every address of a range what it is and writes the [[device]] tables of
/// an agent.toml to start from. Progress on standard error.
int scan_command(const ScanOptions& options);

}  // namespace watchroom::agent
