// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// The audit log, for those who may see it.
#include "aggregator/web/api.hpp"
#include "aggregator/web/asked.hpp"
#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {
namespace {

/// Nothing when there is no such parameter; false: it is there and wrong.
bool read_number(const Call& call, std::string_view name, std::optional<std::int64_t>& number) {
  const std::string_view text = call.query(name);
  if (text.empty()) return true;
  number = integer_of(text);
  return number && *number >= 0;
}

bool read_time(const Call& call, std::string_view name, std::optional<Timestamp>& time) {
  const std::string_view text = call.query(name);
  if (text.empty()) return true;
  time = from_rfc3339(text);
  return time.has_value();
}

}  // namespace

Answer Api::audit(const Call& call) {
  AuditReader::Range range;
  std::optional<std::int64_t> after;
  if (!read_number(call, "after", after)) return malformed_query("after", "0, 1, 2 …");
  if (!read_number(call, "before", range.before)) return malformed_query("before", "0, 1, 2 …");
  if (!read_time(call, "since", range.since)) return malformed_query("since", "2026-11-21T03:00:00Z");
  if (!read_time(call, "until", range.until)) return malformed_query("until", "2026-11-21T03:00:00Z");
  const auto limit = limit_of(call, 200, 2'000);
  if (!limit) return malformed_query("limit", "1…2000");
  range.limit = *limit;
  range.after = after.value_or(0);
  range.newest = !after;
  auto reader = AuditReader::open(audit_.file());
  if (!reader) return refuse(reader.error());
  const auto entries = reader->read(range);
  if (!entries) return refuse(entries.error());
  const auto head = reader->head();
  if (!head) return refuse(head.error());
  Json array = Json::array();
  for (const AuditEntry& entry : *entries) array.push_back(Json::parse(to_json_line(entry)));
  Json body{{"entries", std::move(array)}, {"head", nullptr}};
  if (*head) body["head"] = {{"number", (*head)->number}, {"hash", (*head)->hash}};
  return json(body);
}

}  // namespace watchroom::aggregator
