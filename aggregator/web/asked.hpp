// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/web/message.hpp"
#include "aggregator/web/room_json.hpp"
#include "aggregator/web/routes.hpp"

/// What handlers read of a call and how they answer.
namespace watchroom::aggregator {

std::optional<std::int64_t> integer_of(std::string_view text);
/// The parameter `limit`: 1 to `most`; `fallback` when absent; nothing when it is neither.
std::optional<std::size_t> limit_of(const Call& call, std::size_t fallback, std::int64_t most);

/// The key `domains` of a body, which may miss or be null; a refusal when it is neither that nor domains.
std::optional<Answer> read_domains(const Json& body, std::vector<std::string>& domains);

Answer json(const Json& body);
Answer malformed_query(std::string_view name, std::string_view expected);
/// The same for what is not there and for what is outside the caller's domains.
Answer no_such_place();

}  // namespace watchroom::aggregator
