// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "proto/base/result.hpp"

namespace watchroom {

enum class Readers { owner = 0600, everybody = 0644 };

/// Puts `text` in the place of what `file` held, or leaves that as it is: after a power cut it is one or the
/// other.
Result<void> write_whole(const std::filesystem::path& file, std::string_view text, Readers readers);
/// Errors: not_found when there is no such file; full when it is longer than `longest` bytes.
Result<std::string> read_whole(const std::filesystem::path& file, std::size_t longest);

}  // namespace watchroom
