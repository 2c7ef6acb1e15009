// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

namespace watchroom::aggregator {

/// Runs by the settings in `file` until SIGTERM or SIGINT. What the program ends with: 0 stopped, 1 could not
/// run, 2 wrong settings (all problems on standard error). Before any thread.
int run_command(const std::string& file);

}  // namespace watchroom::aggregator
