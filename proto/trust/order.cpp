// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/order.hpp"

#include <algorithm>

#include "messages/trust.pb.h"
#include "proto/model/point_name.hpp"

namespace watchroom {
namespace {

bool is_kind(std::string_view kind) {
  constexpr std::size_t longest = 64;
  const auto may_stand = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !kind.empty() && kind.size() <= longest && std::ranges::all_of(kind, may_stand);
}

constexpr std::size_t longest_challenge = 64;
constexpr std::uint64_t longest_age = 1'000ull * 60 * 60 * 24 * 365;  // ms

Error malformed(std::string_view what) {
  return fail(Errc::corrupt, Retry::never, "a malformed order: {}", what);
}

}  // namespace

std::string canonical_bytes(const Order& order) {
  wire::Order message;
  message.set_kind(order.kind);
  message.set_issuer(order.issuer);
  message.set_site(order.site);
  message.set_agent(order.agent);
  message.set_number(order.number);
  message.set_issued_ms(order.issued.time_since_epoch().count());
  message.set_expires_ms(order.expires.time_since_epoch().count());
  message.set_body(order.body);
  message.set_challenge(order.challenge);
  message.set_challenge_age_ms(static_cast<std::uint64_t>(order.challenge_age.count()));
  return message.SerializeAsString();
}

Result<Order> read_order(std::string_view bytes) {
  if (bytes.size() > longest_order) return malformed(fmt::format("{} bytes are too many", bytes.size()));
  wire::Order message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return malformed("it cannot be decoded");
  Order read{message.kind(),
             message.issuer(),
             message.site(),
             message.agent(),
             message.number(),
             from_ms(message.issued_ms()),
             from_ms(message.expires_ms()),
             message.body(),
             message.challenge(),
             std::chrono::milliseconds{std::min(message.challenge_age_ms(), longest_age)}};
  if (canonical_bytes(read) != bytes) return malformed("it is not written the one way there is");
  if (!is_kind(read.kind)) return malformed("its kind is no word");
  for (const std::string* id : {&read.issuer, &read.site, &read.agent})
    if (!is_valid_id(*id)) return malformed("issuer, site or agent is no id");
  if (read.number == 0) return malformed("it has no number");
  if (read.challenge.size() > longest_challenge) return malformed("its challenge is too long");
  if (read.expires <= read.issued) return malformed("it ends before it begins");
  return read;
}

}  // namespace watchroom
