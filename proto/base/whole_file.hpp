// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "proto/base/result.hpp"

namespace watchroom {

/// Errors: not_found when there is no such file; full when it is longer than `longest` bytes.
Result<std::string> read_whole(const std::filesystem::path& file, std::size_t longest);

}  // namespace watchroom
