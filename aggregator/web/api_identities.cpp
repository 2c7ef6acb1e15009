// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/api.hpp"
#include "aggregator/web/asked.hpp"
#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::int64_t most_hours = 24 * 30;
constexpr std::size_t longest_reason = 500;  // bytes

Asker asker_of(const Call& call) { return {call.visitor->person.audit_name(), call.request.address}; }

}  // namespace

/// The authority writes down what was done, not what was only tried.
Answer Api::failed(const Call& call, std::string_view action, const Error& error) {
  record(call, action, call.places.at(0) + "/" + call.places.at(1), &error, "");
  return refuse(error);
}

Answer Api::identities(const Call& call) {
  const auto all = identities_.identities();
  if (!all) return refuse(all.error());
  Json array = Json::array();
  for (const AgentIdentity& one : *all)
    if (call.visitor->person.reach.covers(one.site, one.agent)) array.push_back(to_json(one));
  return json({{"identities", std::move(array)}});
}

Answer Api::invite(const Call& call) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  const bool has_hours = body.is_object() && body.contains("hours") && body["hours"].is_number_integer();
  const std::int64_t hours = has_hours ? body["hours"].get<std::int64_t>() : 0;
  if (body.size() != 1 || hours < 1 || hours > most_hours)
    return refuse(Refusal::malformed, fmt::format(R"(Expected {{"hours": 1 to {}}}.)", most_hours),
                  fmt::format(R"(应为 {{"hours": 1 至 {}}}。)", most_hours));
  const auto invitation =
      identities_.invite(call.places.at(0), call.places.at(1), std::chrono::hours{hours}, asker_of(call));
  if (!invitation) return failed(call, "agent.invite", invitation.error());
  return json(to_json(*invitation));
}

Answer Api::revoke(const Call& call) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  const bool has_reason = body.is_object() && body.contains("reason") && body["reason"].is_string();
  const std::string reason = has_reason ? body["reason"].get<std::string>() : "";
  if (body.size() != 1 || reason.empty() || reason.size() > longest_reason)
    return refuse(Refusal::malformed,
                  fmt::format(R"(Expected {{"reason": "…"}} of at most {} bytes.)", longest_reason),
                  fmt::format(R"(应为 {{"reason": "…"}}，不超过 {} 字节。)", longest_reason));
  const auto identity = identities_.revoke(call.places.at(0), call.places.at(1), reason, asker_of(call));
  if (!identity) return failed(call, "agent.revoke", identity.error());
  return json(to_json(*identity));
}

}  // namespace watchroom::aggregator
