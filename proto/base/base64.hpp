// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watchroom {

/// RFC 4648 section 4, in lines of 64 characters as PEM and EST have them.
std::string to_base64(std::string_view bytes);
/// Blanks and line ends are skipped (RFC 8951 section 3.1); anything else foreign, and a wrong end, is
/// refused.
std::optional<std::string> from_base64(std::string_view text);

/// RFC 4648 section 5 without padding and without line ends: fits into a URL, a header and a double click.
std::string to_base64url(std::string_view bytes);
/// Only the one spelling that `to_base64url` writes.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace watchroom
