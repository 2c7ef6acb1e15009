// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/asked.hpp"

#include <charconv>

#include "aggregator/web/gate.hpp"
#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::size_t> limit_of(const Call& call, std::size_t fallback, std::int64_t most) {
  const std::string_view text = call.query("limit");
  if (text.empty()) return fallback;
  const auto limit = integer_of(text);
  if (!limit || *limit < 1 || *limit > most) return std::nullopt;
  return static_cast<std::size_t>(*limit);
}

Answer json(const Json& body) {
  Answer answer;
  answer.body = to_text(body);
  return answer;
}

Answer malformed_query(std::string_view name, std::string_view expected) {
  return refuse(Refusal::malformed, fmt::format("query parameter {}: expected {}", for_log(name), expected),
                fmt::format("查询参数 {} 无效，应为 {}。", for_log(name), expected));
}

Answer no_such_place() { return refuse(Refusal::not_found, "There is no such thing.", "没有这个对象。"); }

}  // namespace watchroom::aggregator
