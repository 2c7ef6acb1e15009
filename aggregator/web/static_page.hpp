// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>

#include "aggregator/web/message.hpp"

namespace watchroom::aggregator {

/// The page's files, by exact path; "/" is the page itself. Nothing when there is no such file: paths are
/// looked up in a table, so there is no way up from it.
std::optional<Answer> static_page(const Request& request);

}  // namespace watchroom::aggregator
