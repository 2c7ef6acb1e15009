// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watchroom::aggregator {

/// The password of "Basic …" (RFC 7617); nothing when it is none. The user's name does not matter.
std::optional<std::string> basic_password(std::string_view authorization);

/// Whether `text` begins so, whatever the case of its ASCII letters.
bool starts_like(std::string_view text, std::string_view lower_case);

}  // namespace watchroom::aggregator
