// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/asked.hpp"

#include <charconv>

#include "aggregator/identity/reach.hpp"
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

std::optional<Answer> read_domains(const Json& body, std::vector<std::string>& domains) {
  if (!body.contains("domains") || body["domains"].is_null()) return std::nullopt;
  const Json& sent = body["domains"];
  bool is_good = sent.is_array() && !sent.empty() && sent.size() <= 1'000;
  if (is_good)
    for (const Json& domain : sent) {
      is_good = is_good && domain.is_string() && is_domain(domain.get<std::string>());
      if (is_good) domains.push_back(domain.get<std::string>());
    }
  if (is_good) return std::nullopt;
  return refuse(
      Refusal::malformed,
      R"("domains": null for the whole house, or a list of "region:NAME", "site:SITE", "room:SITE/AGENT".)",
      R"("domains"：null 表示全部，或 "region:名称"、"site:站点"、"room:站点/采集代理" 的列表。)");
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
