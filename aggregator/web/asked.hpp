// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "aggregator/web/message.hpp"
#include "aggregator/web/room_json.hpp"
#include "aggregator/web/routes.hpp"

/// What handlers read of a call and how they answer.
namespace watchroom::aggregator {

std::optional<std::int64_t> integer_of(std::string_view text);
/// The parameter `limit`: 1 to `most`; `fallback` when absent; nothing when it is neither.
std::optional<std::size_t> limit_of(const Call& call, std::size_t fallback, std::int64_t most);

Answer json(const Json& body);
Answer malformed_query(std::string_view name, std::string_view expected);
/// The same for what is not there and for what is outside the caller's domains.
Answer no_such_place();

}  // namespace watchroom::aggregator
