// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>

namespace watchroom::agent {

/// Builds the whole agent from its settings and runs it until SIGTERM or SIGINT; SIGHUP reads the settings
/// anew. Gives the program's exit code: 0 done, 1 it did not work, 2 something is wrong in the settings.
int run_command(const std::filesystem::path& settings_file);

}  // namespace watchroom::agent
