// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/order_desk.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "proto/base/replace_file.hpp"
#include "proto/base/whole_file.hpp"

namespace watchroom::agent {
namespace {

constexpr std::size_t longest_file = 64 * 1024;

constexpr std::string_view nobodys = "an order of the centre is refused";

/// One that was heard before may well have been followed: only of a new one it is said that it is refused.
std::string name_of_refused(const Order& order, std::uint64_t heard) {
  return order.number > heard ? fmt::format("order {} of the centre is refused", order.number)
                              : std::string{nobodys};
}

Timeliness timeliness_of(std::string_view kind) {
  const bool may_wait = kind == order_kinds::configuration || kind == order_kinds::key;
  return may_wait ? Timeliness::may_wait : Timeliness::must_be_timely;
}

}  // namespace

OrderDesk::OrderDesk(std::filesystem::path folder, std::filesystem::path authority, std::string site,
                     std::string agent)
    : folder_{std::move(folder)},
      authority_{std::move(authority)},
      site_{std::move(site)},
      agent_{std::move(agent)} {
  std::error_code ignored;  // told when the first order cannot be remembered
  std::filesystem::create_directories(folder_, ignored);
}

Result<Order> OrderDesk::take(std::string_view signed_order, CertificateTime time, const AgeOf& age_of) {
  const auto judge = SignatureJudge::load(authority_);
  if (!judge) return in(judge.error(), nobodys);
  auto vouched = judge->read(signed_order, time);
  if (!vouched) return in(vouched.error(), nobodys);
  auto all = read_heard();
  if (!all) return in(all.error(), fmt::format("order {} of the centre is refused", vouched->order.number));
  HeardOf& heard = (*all)[vouched->order.issuer];
  std::uint64_t& number = heard.numbers[vouched->order.kind];
  const auto fresh = check_freshness(*vouched, {number, heard.key_since}, site_, agent_,
                                     {time, age_of(vouched->order)}, timeliness_of(vouched->order.kind));
  if (!fresh) return in(fresh.error(), name_of_refused(vouched->order, number));
  number = fresh->number;
  heard.key_since = fresh->key_since;
  if (auto kept = remember(*all); !kept)
    return in(kept.error(),
              fmt::format("order {} of the centre is refused: what cannot be remembered is not followed",
                          vouched->order.number));
  return std::move(vouched->order);
}

std::optional<Timestamp> OrderDesk::oldest_key() const {
  const auto heard = read_heard();
  if (!heard) return std::nullopt;
  std::optional<Timestamp> oldest;
  for (const auto& [issuer, one] : *heard) oldest = std::min(oldest.value_or(one.key_since), one.key_since);
  return oldest.value_or(Timestamp{});
}

/// A file that cannot be read does not mean that nothing was heard.
Result<OrderDesk::HeardOfAll> OrderDesk::read_heard() const {
  HeardOfAll heard;
  const auto file = folder_ / "heard.json";
  const auto text = read_whole(file, longest_file);
  if (!text && text.error().code == Errc::not_found) return heard;
  if (!text) return text.error();
  try {
    const auto json = nlohmann::json::parse(*text);
    for (const auto& [issuer, one] : json.items())
      heard[issuer] = {from_ms(one.at("key_since_ms").get<std::int64_t>()),
                       one.at("numbers").get<std::map<std::string, std::uint64_t>>()};
  } catch (const nlohmann::json::exception&) {
    return fail(
        Errc::corrupt, Retry::never,
        "{} is damaged: what the centre said before is not known, so nothing it says is followed; remove the "
        "file on the spot to begin anew",
        file.string());
  }
  return heard;
}

Result<void> OrderDesk::remember(const HeardOfAll& heard) const {
  nlohmann::ordered_json json;
  for (const auto& [issuer, one] : heard)
    json[issuer] = {{"key_since_ms", one.key_since.time_since_epoch().count()}, {"numbers", one.numbers}};
  return replace_file(folder_ / "heard.json", json.dump() + "\n");
}

}  // namespace watchroom::agent
