// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watchroom {

/// RFC 4648 section 4, on one line.
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

}  // namespace watchroom
