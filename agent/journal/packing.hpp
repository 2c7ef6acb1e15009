// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watchroom::agent {

/// Made smaller for the disk (raw deflate, RFC 1951, window of 4 kB); nothing when that saves no bytes.
/// Payloads repeat their names and times: they shrink to about a third.
std::optional<std::string> pack(std::string_view bytes);

/// What `pack` was given; nothing when these are not its bytes, or would grow past 64 MB.
std::optional<std::string> unpack(std::string_view packed);

}  // namespace watchroom::agent
