// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "aggregator/cli/console.hpp"
#include "proto/base/result.hpp"

namespace watchroom::cli {

/// Twice, on the terminal, without showing it. Refuses when there is no terminal.
Result<std::string> ask_password(const Console& console, const std::string& name);

}  // namespace watchroom::cli
