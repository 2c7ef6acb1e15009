// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <string_view>

#include "proto/base/result.hpp"

namespace watchroom::aggregator {

inline constexpr std::string_view first_administrator_name = "admin";

/// Beside the users file, 0600: the password of the administrator of the first start, until it is changed.
std::filesystem::path first_password_file(const std::filesystem::path& users_file);

/// Where there is no users file: makes one with the administrator `admin`, whose random password is in
/// `first_password_file` and must be changed at the first log-in. True: made; false: there was a file
/// already.
Result<bool> make_first_administrator(const std::filesystem::path& users_file);

/// After a password of `admin` was set; nothing happens when there is no such file.
void forget_first_password(const std::filesystem::path& users_file);

}  // namespace watchroom::aggregator
