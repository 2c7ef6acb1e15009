// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

namespace watchroom::cli {

/// The program `watchroom`: parses, runs one command, returns the exit code (0 done, 1 the server, the
/// network or a file said no, 2 wrong usage).
int run_program(int argument_count, const char* const* arguments);

}  // namespace watchroom::cli
