// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <string_view>

namespace watchroom::agent {

/// What a device sends as text that can be shown and sent as JSON: trailing zeros and blanks gone, what is
/// neither printable nor UTF-8 replaced by '?', at most about 200 bytes.
std::string readable_text(std::string_view bytes);

}  // namespace watchroom::agent
