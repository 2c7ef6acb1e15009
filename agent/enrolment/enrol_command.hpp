// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <string>

namespace watchroom::agent {

struct EnrolOptions {
  std::string url;
  std::filesystem::path token_file, settings_file;
  bool may_replace = false;
  bool json = false;
};

/// `watchroom-agent enrol`: makes a key, has it certified with a token, and writes CA, certificate and key
/// where agent.toml wants them. Gives the program's exit code: 0 done, 1 it did not work, 2 wrong input.
int enrol_command(const EnrolOptions& options);

}  // namespace watchroom::agent
